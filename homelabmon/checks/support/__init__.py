"""What checks share: their contract, what they see of the stack, and the analyses that several of them ask."""

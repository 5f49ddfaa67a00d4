"""What stands between rendered data and a cluster: validation of every object, and inflating of charts."""

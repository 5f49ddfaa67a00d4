"""homelabmon: declare, review and run the monitoring of a Kubernetes homelab.

One typed ``stack.yaml`` is rendered into everything Flux has to reconcile; the alert relay ships in the same package.
"""

__version__ = "0.1.0"

"""Both images built, and the compose file's services run in them as Docker would: `sudo python3 -m tests.images`.

Needs Linux, root, `apt-get install --no-install-recommends buildah runc mmdebstrap uidmap iproute2`, and what `dev.py test`
installs; no daemon and, where Debian's packages stand in for the base image, no registry. pytest does not collect it.
"""

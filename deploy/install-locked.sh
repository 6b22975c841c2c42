#!/bin/sh
# For the images (Dockerfile): `install-locked.sh LOCK` puts a locked set into /opt/venv, `install-locked.sh .` Queuecast itself.
#
# Nothing is resolved: the lock names every version, and every file must have the hash that stands there, so what is published
# later changes no image. uv does it, or pip where uv could not be had. At the end all of it must fit together.
set -eu
tools=/opt/tools/bin
pip="$tools/pip --python /opt/venv/bin/python"

# The value of one of pip's settings, or nothing; as for pip, the environment counts before the files.
setting() {
    $tools/pip config list | LC_ALL=C sort | sed -n "s/^\(:env:\|global\)\.$1=//p" | head -n 1 | tr -d "'\"" | sed 's/\\n/ /g'
}

# uv reads none of pip's settings: it is told where pip looks, and whom it trusts.
tell() {
    [ -z "$2" ] || export "$1=$2"
}

if [ "$1" = . ]; then
    # The names of the build's own tools; torch asks for setuptools, which it needs to compile extensions only.
    $pip install --no-deps --no-build-isolation .
    $pip uninstall --yes editables hatchling setuptools
elif [ -x $tools/uv ]; then
    tell UV_DEFAULT_INDEX "$(setting index-url)"
    tell UV_INDEX "$(setting extra-index-url)"
    tell SSL_CERT_FILE "$(setting cert)"
    $tools/uv pip install --python /opt/venv/bin/python --no-cache --compile-bytecode \
        --index-strategy unsafe-best-match --no-deps --require-hashes --requirement "$1"
    $tools/uv pip check --python /opt/venv/bin/python
else
    $pip install --no-deps --require-hashes --requirement "$1"
    $pip check
fi

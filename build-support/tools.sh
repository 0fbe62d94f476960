# Sourced by the suites outside Maven: brings the test-only tools that are missing into $TOOLS, which is
# a folder of the project's own that git ignores.
# shellcheck shell=bash

. "$RUNCAST_HOME/build-support/prerequisites.sh"
TOOLS=${TOOLS:-$RUNCAST_HOME/build-support/.tools}
mkdir -p "$TOOLS/bin"

need_command() { # command, apt packages…
  local command=$1
  shift
  command -v "$command" >/dev/null && return
  install_with_apt "$@" || true
  hash -r
  command -v "$command" >/dev/null || how_to_install "$command, for a test," "$*" "$*" "$*"
}

# Python with what the tests import, in a virtual environment.
need_python() {
  PYTHON=$TOOLS/venv/bin/python
  local wanted="$RUNCAST_HOME/journey/requirements.txt"
  cmp -s "$wanted" "$TOOLS/venv/requirements.txt" && return
  need_command python3 python3 python3-venv
  python3 -m venv "$TOOLS/venv" 2>/dev/null || {
    install_with_apt python3-venv && python3 -m venv "$TOOLS/venv"
  } || how_to_install "Python's venv, for a test," python3-venv python3 python3
  "$PYTHON" -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r "$wanted" >&2
  cp "$wanted" "$TOOLS/venv/requirements.txt"
}

need_grpcurl() {
  [ -x "$TOOLS/bin/grpcurl" ] && return
  need_command go golang-go
  say "Building grpcurl (about a minute)."
  GOBIN=$TOOLS/bin GOFLAGS=-modcacherw go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3 >&2
}

need_buf() {
  [ -x "$TOOLS/node_modules/.bin/buf" ] && return
  need_command npm npm nodejs
  npm install --silent --no-fund --no-audit --prefix "$TOOLS" @bufbuild/buf@1.57.0 >&2
}

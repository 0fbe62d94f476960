# Sourced by ./runcast and ./verify: sets JAVA and MVN, installing a JDK 17+ and Maven where they are
# missing and apt may be used, else printing what to type.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

java_version() { # the feature release of a java command, or nothing
  "$1" -version 2>&1 | sed -n 's/^.* version "\([0-9]*\)[."].*$/\1/p;s/^.* version "\([0-9]*\)".*$/\1/p' | head -n 1
}

find_java() {
  local candidate version
  for candidate in "${JAVA_HOME:-/nonexistent}/bin/java" "$(command -v java || true)" \
    /usr/lib/jvm/*/bin/java /Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java; do
    # The build needs the compiler as well, so a runtime alone does not do.
    [ -x "$candidate" ] && [ -x "$(dirname "$(readlink -f "$candidate")")/javac" ] || continue
    version=$(java_version "$candidate")
    if [ "${version:-0}" -ge 17 ]; then
      JAVA=$candidate
      JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$candidate")")")
      export JAVA JAVA_HOME
      return 0
    fi
  done
  return 1
}

install_with_apt() { # packages; asks first unless root
  command -v apt-get >/dev/null || return 1
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ] || return 1
    local answer
    read -r -p "Install $* with sudo apt-get? [y/N] " answer </dev/tty
    [ "$answer" = y ] || [ "$answer" = Y ] || return 1
    sudo=(sudo)
  fi
  say "Installing $* with apt-get."
  { "${sudo[@]}" apt-get update -qq && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@"; } >&2
}

how_to_install() { # what, Debian's package, Fedora's, Homebrew's
  say "$1 is needed and was not found. Install it with"
  say "  Debian, Ubuntu:  sudo apt-get install $2"
  say "  Fedora:          sudo dnf install $3"
  say "  macOS:           brew install $4"
  say "and run the command again."
  exit 69 # EX_UNAVAILABLE
}

require_java() {
  find_java && return
  install_with_apt openjdk-17-jdk-headless || install_with_apt default-jdk-headless || true
  find_java || how_to_install "A JDK, version 17 or newer," openjdk-17-jdk-headless java-21-openjdk-devel openjdk@21
}

require_maven() {
  MVN=$(command -v mvn) && return
  install_with_apt maven || true
  hash -r
  MVN=$(command -v mvn) || how_to_install "Maven, version 3.8.7 or newer," maven maven maven
}

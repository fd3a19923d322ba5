# What contrib/quickstart, contrib/check and .ci/run share. Read with `.` by scripts one folder below the top; portable
# sh.

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/contrib/packages"

say() {
    printf '\n== %s\n' "$*"
}

# Installs those of the packages that are missing. Elsewhere than on Debian, configure names what it misses.
install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || return 0
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
        installed) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "Packages are missing. As root: apt-get install$missing" >&2
        return 1
    fi
    say "installing:$missing"
    # The lists of a fresh system are empty, those of an old one name what is gone: then they are updated first.
    apt_install $missing || { apt-get update -q && apt_install $missing; }
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null
}

# build FOLDER CONFIGURE-ARGUMENTS: builds out of tree, in a folder of its own.
build() {
    folder=$top/$1
    shift
    [ -x "$top/configure" ] || (cd "$top" && autoreconf -fi)
    mkdir -p "$folder"
    [ -f "$folder/Makefile" ] || (cd "$folder" && "$top/configure" --quiet "$@")
    make -s -C "$folder" -j "$(nproc)"
}

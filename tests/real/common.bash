# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # $jars is for the script that sources this, which sets $here, its folder
# What the scripts of this folder share: errors, the search for Java, and the jars from Maven Central. Sourced, never run.

cache=${ROCKETMQ_REAL_CACHE:-$HOME/.cache/rocketmq-real}

# Exit status for "a program this needs is not installed", so that a caller can tell it from a server that failed.
readonly exit_missing_program=3

say() { echo "${0##*/}: $*" >&2; }

die() { # [-STATUS] MESSAGE
  local status=1
  case $1 in -[0-9]*) status=${1#-}; shift ;; esac
  say "$*"
  exit "$status"
}

need_java() { # PROGRAM (java or javac), at least version 17
  local program=$1 text major
  command -v "$program" >/dev/null ||
    die "-$exit_missing_program" "$program is not installed: Java 17 or later is needed (Debian: apt-get install openjdk-17-jdk-headless)"
  text=$("$program" -version 2>&1) || die "-$exit_missing_program" "$program does not run: $text"
  # java says: openjdk version "17.0.15" 2025-04-15; javac says: javac 17.0.15
  [[ $text =~ (version\ \"|javac\ )([0-9]+) ]] || die "-$exit_missing_program" "$program does not tell its version: $text"
  major=${BASH_REMATCH[2]}
  ((major >= 17)) || die "-$exit_missing_program" "$program is version $major, 17 or later is needed"
}

# A download that was interrupted is of no use to anybody: scripts call this when they end.
unfinished_download=
drop_unfinished_download() { [ -z "$unfinished_download" ] || rm -rf "$unfinished_download"; }

# Leaves the jars of KIND (servers or client) in the folder that it names in $jars. Maven is asked only when the cache has
# no complete copy. A download goes to a folder of its own and is renamed at its end, so neither an interruption nor a
# second script that downloads the same leaves half a set behind.
fetch() { # KIND VERSION
  local kind=$1 version=$2 target part
  target=$cache/$kind-$version
  jars=$target/lib
  [ -e "$target/complete" ] && return
  command -v mvn >/dev/null ||
    die "-$exit_missing_program" "mvn is not installed: Maven is needed to fetch RocketMQ $version (Debian: apt-get install maven)"
  say "fetching RocketMQ $version ($kind) from Maven Central into $target"
  mkdir -p "$cache"
  part=$(mktemp -d "$cache/$kind-$version.part.XXXXXX")
  unfinished_download=$part
  cp "$here/maven/$kind.xml" "$part/pom.xml"
  if ! mvn -q -B -U -f "$part/pom.xml" -Drocketmq.version="$version" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$part/lib" >"$part/maven.log" 2>&1 </dev/null; then
    tail -n 20 "$part/maven.log" >&2
    rm -rf "$part"
    die "Maven could not fetch RocketMQ $version ($kind)"
  fi
  touch "$part/complete"
  rm -rf "$target.old.$$"
  # A folder without its marker is a leftover; a complete one was made by somebody else while we were busy.
  if [ -e "$target" ] && [ ! -e "$target/complete" ]; then mv "$target" "$target.old.$$"; fi
  [ -e "$target/complete" ] || mv -T "$part" "$target" 2>/dev/null || true
  rm -rf "$part" "$target.old.$$"
  [ -e "$target/complete" ] || die "could not put the jars into $target"
}

readonly client_version=5.5.0

# Names in $jars and $classes where the client and the compiled program java/NAME.java are. The classes stand in the cache
# under the checksum of the source, so that a changed program is compiled anew.
locate() { # NAME
  local sum
  jars=$cache/client-$client_version/lib
  sum=$(cksum <"$here/java/$1.java")
  classes=$cache/$1-$client_version-${sum// /-}
}

# Compiles java/NAME.java against the client, which was fetched before.
compile() { # NAME
  local part
  locate "$1"
  [ ! -e "$classes/$1.class" ] || return 0
  need_java javac
  part=$(mktemp -d "$cache/$1.part.XXXXXX")
  unfinished_download=$part
  javac -encoding UTF-8 -cp "$jars/*" -d "$part" "$here/java/$1.java" || die "java/$1.java does not compile"
  mv -T "$part" "$classes" 2>/dev/null || rm -rf "$part"
  [ -e "$classes/$1.class" ] || die "could not put the compiled program into $classes"
}

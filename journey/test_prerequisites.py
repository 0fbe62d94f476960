"""What the two commands do on a machine where something is missing."""
import os
import shutil
import subprocess

import pytest

from conftest import HOME, await_that


def on_a_machine(script):
    return subprocess.run(["bash", "-c", f"set -eu; . '{HOME}/build-support/prerequisites.sh'; {script}"],
                          text=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("missing, package", [("require_java", "openjdk-17-jdk-headless"), ("require_maven", "maven")])
def test_what_may_not_be_installed_is_said_for_each_system(missing, package):
    told = on_a_machine(f"find_java() {{ return 1; }}; install_with_apt() {{ return 1; }}; PATH=/nonexistent {missing}")
    assert told.returncode == 69
    assert f"sudo apt-get install {package}" in told.stderr
    assert "sudo dnf install" in told.stderr and "brew install" in told.stderr


def test_what_may_be_installed_is_installed_and_said():
    told = on_a_machine("found=1; find_java() { return $found; }; id() { echo 0; };"
                        "apt-get() { echo \"apt-get $*\"; found=0; }; export -f apt-get;"
                        "env() { shift; \"$@\"; }; require_java")
    assert told.returncode == 0, told.stderr
    assert "Installing openjdk-17-jdk-headless with apt-get." in told.stderr
    assert "apt-get install -y" in told.stderr


def test_a_java_that_is_too_old_or_lacks_the_compiler_is_not_taken(tmp_path):
    for name, version in (("old", "11.0.2"), ("runtime", "21.0.1")):
        home = tmp_path / name / "bin"
        home.mkdir(parents=True)
        (home / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        (home / "java").chmod(0o755)
    (tmp_path / "old" / "bin" / "javac").write_text("#!/bin/sh\n")
    (tmp_path / "old" / "bin" / "javac").chmod(0o755)
    for name in ("old", "runtime"):
        told = on_a_machine(f"JAVA_HOME={tmp_path / name}; find_java && echo \"$JAVA\"")
        assert str(tmp_path) not in told.stdout


def test_whoever_comes_while_another_builds_waits_and_does_not_build_again(tmp_path):
    (tmp_path / "build-support").mkdir()
    shutil.copy(HOME / "runcast", tmp_path)
    shutil.copy(HOME / "build-support" / "prerequisites.sh", tmp_path / "build-support")
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    maven.write_text(f"#!/bin/sh\necho built >> {tmp_path}/builds\nwhile ! [ -e {tmp_path}/go ]; do sleep 0.05; done\n"
                     f": > {tmp_path}/local-stack/target/runcast.jar\n")
    maven.chmod(0o755)

    def runcast(name):
        with open(tmp_path / name, "wb") as said:
            return subprocess.Popen([tmp_path / "runcast", "list"], stdout=said, stderr=said, stdin=subprocess.DEVNULL,
                                    env={**os.environ, "PATH": f"{maven.parent}:{os.environ['PATH']}"})

    first = runcast("first")
    await_that(lambda: (tmp_path / "builds").exists(), 30, "the first to build")
    second = runcast("second")
    await_that(lambda: "Another build is running" in (tmp_path / "second").read_text(), 30, "the second to wait")
    (tmp_path / "go").touch()
    first.wait(60)
    second.wait(60)
    assert (tmp_path / "builds").read_text() == "built\n"
    assert "Built in" in (tmp_path / "first").read_text() and "Built in" not in (tmp_path / "second").read_text()

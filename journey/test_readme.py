"""The README's commands do what it says."""
import re

from conftest import HOME

BLOCKS = re.findall(r"```(?:sh|bash)\n(.*?)```", (HOME / "README.md").read_text(), re.S)
COMMANDS = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]


def test_the_first_screen_shows_the_two_commands():
    first_screen = (HOME / "README.md").read_text()[:2500]
    assert "./runcast demo" in first_screen and "./verify" in first_screen


def test_every_command_of_the_program_that_the_readme_names_exists(stack):
    named = {words[1] for words in (command.split() for command in COMMANDS) if words[0] == "./runcast"}
    known = stack.runcast("--help").stdout
    assert named and all(re.search(rf"^  {name} ", known, re.M) for name in named), (named, known)


def test_demo_runs_its_story_to_the_end(tmp_path):
    from conftest import Stack
    demo = Stack(tmp_path).runcast("demo", "--exit")
    assert "nothing differs" in demo.stdout, demo.stdout

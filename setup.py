"""The part of the packaging that pyproject.toml cannot say.

The server and its look lie at the top of the project. They are installed as one folder and keep their place beside
each other there, so that Streamlit finds the look of the app wherever the app is started.
"""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    script_name=Path(__file__).name,  # this file lies beside app.py and stays at home
    packages=["softmerge_app", *find_packages(include=["pages*", "softmerge_core*"])],
    package_dir={"softmerge_app": "."},
    package_data={
        "softmerge_app": [".streamlit/config.toml"],
        "pages": ["**/*.css", "**/*.js", "**/*.svg", "**/*.toml"],
        "softmerge_core": ["data/arrays/*", "examples/**/*", "zoo/families/**/*", "export/replay/replay.*"],
    },
)

# Lets Spack find an installed Swift (spack external find swift); it cannot build one.
#
# NOT RUN: there is no Spack where this project is tested; only the syntax is checked there.

import re

from spack.package import *


class Swift(BundlePackage):
    """The Swift compiler and its package manager, as installed from swift.org."""

    homepage = "https://www.swift.org"

    version("6.2")

    executables = [r"^swift$"]

    @classmethod
    def determine_version(cls, exe):
        answer = Executable(exe)("--version", output=str, error=str)
        match = re.search(r"Swift version (\d+\.\d+(?:\.\d+)?)", answer)
        return match.group(1) if match else None

    def install(self, spec, prefix):
        raise InstallError("Swift must be installed already: https://www.swift.org/install/linux, then spack external find swift")

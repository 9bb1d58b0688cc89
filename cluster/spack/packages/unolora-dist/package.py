# A Spack recipe. In the project's directory:
#   spack repo add cluster/spack
#   spack external find swift        # Spack has no Swift to build
#   spack dev-build unolora-dist@0.1.0
#
# NOT RUN: there is no Spack where this project is tested; only the syntax is checked there.

import os

from spack.package import *


class UnoloraDist(Package):
    """Trains one small adapter for many tasks on a frozen T5, data-parallel over MPI, on CPUs."""

    license("Apache-2.0")

    # It is built from a working copy (spack dev-build), so nothing is fetched.
    version("0.1.0")

    variant("avx2", default=True, description="Kernels for x86 processors with AVX2 (Haswell, Zen or later)")
    variant("onednn", default=True, description="Products with frozen weights by oneDNN")

    depends_on("swift@6.2:", type=("build", "run"))
    depends_on("pkgconfig", type="build")
    # ompi-c is the name of Open MPI's own pkg-config file.
    depends_on("openmpi@4.1:")
    depends_on("openblas threads=none")
    depends_on("onednn@2.6:", when="+onednn")
    depends_on("sentencepiece")
    depends_on("xxhash")
    depends_on("zlib-api")

    def install(self, spec, prefix):
        traits = [name for variant, name in (("+avx2", "AVX2"), ("+onednn", "OneDNN")) if variant in spec]
        arguments = ["build", "-c", "release", "--product", "unolora-dist", "--disable-default-traits"]
        if traits:
            arguments += ["--traits", ",".join(traits)]
        # Swift fetches its packages from the network, in the versions of Package.resolved.
        Executable(os.path.join(spec["swift"].prefix.bin, "swift"))(*arguments)
        mkdirp(prefix.bin)
        install(".build/release/unolora-dist", prefix.bin)

    def setup_build_environment(self, env):
        # oneDNN has no pkg-config file; the compiler finds it this way.
        for name in ("onednn", "sentencepiece", "xxhash"):
            if name in self.spec:
                env.prepend_path("CPATH", self.spec[name].prefix.include)
                env.prepend_path("LIBRARY_PATH", self.spec[name].libs.directories[0])

    def setup_run_environment(self, env):
        env.set("OPENBLAS_NUM_THREADS", "1")

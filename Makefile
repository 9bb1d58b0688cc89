# Shortcuts; each target is one command that you can also type.
.PHONY: build dist test test-mpi test-slurm test-hosts test-storm test-builds test-dist lint format smoke docs clean

build:      ## the release executable, .build/release/unolora-dist
	launch/setup.sh
	swift build -c release --product unolora-dist

dist:       ## dist/*.tar.gz: an archive that runs on nodes without Swift
	launch/dist.sh

test:       ## every test, those under MPI with 1, 2 and 4 processes
	launch/test.sh

test-mpi:   ## only the tests under MPI
	launch/test.sh --only-mpi

test-slurm: ## the job scripts on a real SLURM of this machine's own, with all that can happen to a job; root
	cluster/slurm-local/test.sh --all

test-hosts: ## training over a network of four hosts, and the loss of one
	cluster/netns-hosts/test.sh --all

test-storm: ## a run that is hit 200 times at random moments in random ways, some 20 minutes; a disk that hangs
	cluster/storm/test.sh --hits 200
	cluster/storm/hung-disk.sh

test-builds: ## the builds with other settings that README.md names, some 10 minutes
	launch/test-builds.sh

test-dist:  ## the archive of make dist in a bare Debian, some 10 minutes
	launch/test.sh --dist

lint:       ## formatting of the Swift code, syntax of the scripts
	swift format lint --strict --recursive Sources Tests fuzz Package.swift
	for script in launch/*.sh launch/*/*.sh launch/*.sbatch cluster/*.sh cluster/*/*.sh cluster/*/*.env \
		cluster/netns-hosts/netns-hosts cluster/slurm-local/slurm-local docs/*.sh fuzz/*.sh .ci/run; do bash -n $$script || exit 1; done

format:     ## rewrites the Swift code as the formatter wants it
	swift format --in-place --recursive Sources Tests fuzz Package.swift

smoke:      ## the embedded example with two processes
	launch/quickstart.sh

docs:       ## links and names in the documents
	docs/check.sh

clean:
	swift package clean

# Shortcuts; each target is one command that can be typed by itself.
.PHONY: build test test-mpi lint format smoke docs clean

build:      ## the release executable, .build/release/unolora-dist
	launch/setup.sh
	swift build -c release --product unolora-dist

test:       ## every test, those under MPI with 1, 2 and 4 processes
	launch/test.sh

test-mpi:   ## only the tests under MPI
	launch/test.sh --only-mpi

lint:       ## formatting of the Swift code, syntax of the scripts
	swift format lint --strict --recursive Sources Tests fuzz Package.swift
	for script in launch/*.sh launch/*/*.sh launch/*.sbatch docs/*.sh fuzz/*.sh .ci/run; do bash -n $$script || exit 1; done

format:     ## rewrites the Swift code as the formatter wants it
	swift format --in-place --recursive Sources Tests fuzz Package.swift

smoke:      ## the embedded example with two processes
	launch/quickstart.sh

docs:       ## links and names in the documents
	docs/check.sh

clean:
	swift package clean

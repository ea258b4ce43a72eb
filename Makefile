# Thin front for CMake: `make demo` and `make test` are all a newcomer needs.
# Build folder and job count: `make test BUILD=build JOBS=4`.

BUILD ?= build
JOBS ?= $(shell nproc)
CMAKE ?= cmake

.PHONY: all packages build demo test soak faults fuzz asan bench docs package package-test clean
all: build

packages:
	@debian/install-packages.sh

build: packages
	@test -f $(BUILD)/build.ninja || $(CMAKE) --preset default -B $(BUILD) >$(BUILD).log 2>&1 \
	  || { cat $(BUILD).log; exit 1; }
	@$(CMAKE) --build $(BUILD) -j $(JOBS)

# Compiles a trained Fashion-MNIST network and shows accuracy, size and speed.
demo: build
	@examples/fashion-mnist/demo.sh $(BUILD)

test: build
	@ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure

# 10,000 random cases an op family instead of 300; an hour or two.
soak: build
	@QOPT_SOAK=1 ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure \
	  --timeout 36000 -R '^Qopt(Kernel|Graph)Tests$$'

# Deletes conditions, swaps operands, shifts constants; counts what tests catch.
faults: packages
	@test/Faults/run.py

# 1,000 mutated models; no signal, 5 s and 1 GiB each.
fuzz: build
	@test/Fuzz/mutate.py --qopt $(BUILD)/bin/qopt --scratch $(BUILD)/fuzz \
	  test/Fuzz/Inputs/*.test test/Pipelines/Inputs/convnet.onnx.test \
	  test/Pipelines/Inputs/mlp.onnx.test test/Pipelines/Inputs/qdq-gemm.onnx.test \
	  test/Pipelines/Inputs/qlinear-conv.onnx.test $(wildcard /usr/share/libonnx-testdata/data)

# The C API and its tests with AddressSanitizer, leaks included.
asan: packages
	@JOBS=$(JOBS) test/CAPI/sanitize.sh $(BUILD)

bench: build
	@bench/run.sh $(BUILD)

# A site of all pages, in $(BUILD)/site; nothing is fetched but Debian's MkDocs.
docs: build
	@debian/install-packages.sh packages-docs.txt
	@tools/site/build.py . $(BUILD) $(BUILD) && tools/site/check.py $(BUILD)/site

# Debian packages and a Python wheel, into $(BUILD)/packages.
package: build
	@cd $(BUILD) && cpack
	@QOPT_LIBRARY=$(BUILD)/lib/libqopt.so.0 python3 python/backend.py $(BUILD)/packages

# lintian, the packages' files at work from a folder of their own, and the
# packages installed in a clean root.
package-test: package
	@debian/install-packages.sh packages-packaging.txt
	@test/Package/debian.sh $(BUILD)
	@test/Package/clean-root.sh $(BUILD)

clean:
	@rm -rf $(BUILD) $(BUILD).log

#!/bin/sh
# The cargo that maturin asks behind `make test`, where `cargo test $BUILT_TESTS` has built the module already: asked for alone, the package
# has fewer features, and everything below it would be compiled once more.
cargo=${BUILT_CARGO:-cargo}
[ "$1" = rustc ] || exec $cargo "$@"
# The module is made for the stable interface of CPython. An interpreter named here would only make pyo3 be compiled once more.
unset PYO3_PYTHON PYO3_CONFIG_FILE PYO3_ENVIRONMENT_SIGNATURE PYO3_BUILD_EXTENSION_MODULE PYO3_NO_PYTHON PYTHON_SYS_EXECUTABLE CARGO_ENCODED_RUSTFLAGS
exec $cargo test --no-run --message-format json-render-diagnostics $BUILT_TESTS

//! Tests of the part that knows no Python. They compile its files for themselves: the library of a module waits for the symbols of an
//! interpreter, which no test program has.
#![expect(
    dead_code,
    unreachable_pub,
    reason = "what the module and the bench use of these files is more than their tests do"
)]

#[path = "../src/columns.rs"]
mod columns;
#[path = "../src/shared.rs"]
mod shared;

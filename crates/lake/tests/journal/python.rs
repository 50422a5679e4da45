//! A Python with hftbacktest, whose converter is the judge of what is exported for it.

use barograph_testkit::skipped;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter; none, and a word about it, where there can be none.
pub(crate) fn with_hftbacktest() -> Option<PathBuf> {
    let no = |why: String| skipped(&format!("no Python with hftbacktest ({why}); BAROGRAPH_PYTHON may name one"));
    found().map_err(no).ok()
}

/// An interpreter with hftbacktest in it: `BAROGRAPH_PYTHON`, or a virtual environment made once below the target folder.
fn found() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("BAROGRAPH_PYTHON") {
        return Ok(named.into());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hftbacktest-2.4.4");
    let python = folder.join("bin/python");
    let run = |program: &Path, arguments: &[&str]| {
        let said = Command::new(program).args(arguments).output().map_err(|e| format!("{}: {e}", program.display()))?;
        let last = String::from_utf8_lossy(&said.stderr).trim().lines().last().unwrap_or_default().to_owned();
        if said.status.success() {
            Ok(())
        } else {
            Err(format!("{} {}: {last}", program.display(), arguments.join(" ")))
        }
    };
    if run(&python, &["-c", "import hftbacktest"]).is_ok() {
        return Ok(python);
    }
    run(Path::new("python3"), &["-m", "venv", "--clear", &folder.to_string_lossy()])?;
    // Its converters need numpy and numba only; its plotting brings a quarter of a gigabyte.
    let packages = ["hftbacktest==2.4.4", "numba", "llvmlite", "numpy<2.3"];
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    run(&python, &[&install[..], &packages[..]].concat())?;
    run(&python, &["-c", "import hftbacktest.data.utils"]).map(|()| python)
}

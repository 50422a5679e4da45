//! Why a file is no model that can be asked, and why nothing was fitted.

use barograph_lab::zoo::RecipeError;
use core::fmt;

/// By what the caller does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OnnxFault {
    /// This program was built without the library.
    NotBuilt,
    /// The file cannot be read, or holds an operator that the library does not know.
    Unread(String),
    /// It has another form than a table of numbers in and a table of numbers out.
    Form(String),
    /// It failed on these rows.
    Failed(String),
}

impl fmt::Display for OnnxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => f.write_str(
                "this program was built without ONNX; build one that has it: cargo build --release --features onnx",
            ),
            Self::Unread(why) => write!(f, "it is no ONNX model that can be read: {why}"),
            Self::Form(why) => f.write_str(why),
            Self::Failed(why) => write!(f, "the model failed: {why}"),
        }
    }
}

impl core::error::Error for OnnxFault {}

/// Why LightGBM fitted nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LightGbmFault {
    /// This program was built without the library.
    NotBuilt,
    /// The rows, columns or labels do not fit, or there is nothing to tell apart.
    Rows(RecipeError),
    /// The library failed, or grew what is not known here.
    Failed(String),
}

impl fmt::Display for LightGbmFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => f.write_str(
                "this program was built without LightGBM; build one that has it, with CMake and libclang installed: \
                 cargo build --release --features lightgbm",
            ),
            Self::Rows(why) => why.fmt(f),
            Self::Failed(why) => write!(f, "LightGBM failed: {why}"),
        }
    }
}

impl core::error::Error for LightGbmFault {}

impl From<RecipeError> for LightGbmFault {
    fn from(e: RecipeError) -> Self {
        Self::Rows(e)
    }
}

//! Why something could not be done, as a sentence.

use barograph_lake::layers::LayerError;
use core::fmt;

/// By what the caller does next.
#[derive(Debug)]
pub enum ResearchError {
    /// What was asked for cannot be had: ask for something else.
    Refused(String),
    /// Something failed on the way.
    Failed(String),
}

impl fmt::Display for ResearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for ResearchError {}

fn chain(e: &dyn core::error::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(e) = next {
        text = format!("{text}: {e}");
        next = e.source();
    }
    text
}

impl From<barograph_lake::Error> for ResearchError {
    fn from(e: barograph_lake::Error) -> Self {
        Self::Refused(chain(&e))
    }
}

impl From<LayerError> for ResearchError {
    fn from(e: LayerError) -> Self {
        match e {
            LayerError::Held { .. } => Self::Refused(chain(&e)),
            other => Self::Failed(chain(&other)),
        }
    }
}

//! Places of objects by the settings: `s3://bucket/prefix`, `file:///folder` or a folder.

use crate::config::Settings;
use crate::failure::Failure;
use barograph_objects::ObjectStore;
use std::sync::Arc;

/// The place of an address; nothing is asked of it yet. Of AWS's own variables those that are settings too are read as settings.
pub(crate) fn place(address: &str, settings: &Settings) -> Result<Arc<dyn ObjectStore>, Failure> {
    let var = |name: &str| match name {
        "AWS_ENDPOINT_URL" => settings.s3_endpoint.clone(),
        "AWS_REGION" => settings.s3_region.clone(),
        "AWS_ACCESS_KEY_ID" => settings.s3_key_id.clone(),
        "AWS_SECRET_ACCESS_KEY" => settings.s3_secret.as_ref().map(|secret| secret.expose().to_owned()),
        other => std::env::var(other).ok(),
    };
    Ok(barograph_objects::open(address, settings.s3_style, &var)?)
}

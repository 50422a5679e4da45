//! Addresses of places: `s3://bucket/prefix`, `file:///folder`, or the folder itself.

use crate::s3::{S3Config, S3Objects, S3Style};
use crate::{Error, FolderObjects, ObjectStore, Result};
use std::path::Path;
use std::sync::Arc;

/// The place of an address. Of a bucket the endpoint, region and keys come from variables ([`S3Config::of`]); `style` is how the bucket
/// stands in the address of the server, `None` what is usual there.
///
/// # Errors
/// When the address or a variable cannot be meant; nothing is asked yet.
pub fn open(
    address: &str,
    style: Option<S3Style>,
    var: &dyn Fn(&str) -> Option<String>,
) -> Result<Arc<dyn ObjectStore>> {
    let address = address.trim();
    if address.starts_with("s3://") {
        let mut config = S3Config::of(address, var)?;
        config.style = style.unwrap_or(config.style);
        return Ok(Arc::new(S3Objects::new(config)?));
    }
    let folder = match address.split_once("://") {
        Some(("file", path)) if path.starts_with('/') => path,
        Some(("file", _)) => {
            return Err(Error::Address(format!("'{address}' names no folder; write file:///folder")));
        }
        Some((scheme, _)) => {
            let known = "write s3://bucket/prefix, file:///folder or a folder";
            return Err(Error::Address(format!("'{scheme}' is no place for objects: {known}")));
        }
        None => address,
    };
    if folder.is_empty() {
        return Err(Error::Address("no place is named; write s3://bucket/prefix or a folder".to_owned()));
    }
    Ok(Arc::new(FolderObjects::new(Path::new(folder))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_or_a_folder() {
        let keys = |name: &str| name.contains("KEY").then(|| "some-key".to_owned());
        for (address, place) in [
            ("s3://lake/x", "s3://lake/x/"),
            ("file:///tmp/x", "/tmp/x"),
            ("depot/x", "depot/x"),
            (" /tmp/x ", "/tmp/x"),
        ] {
            assert_eq!(open(address, None, &keys).unwrap().place(), place, "{address}");
        }
        for (address, why) in [
            ("file://host/x", "names no folder"),
            ("gs://lake", "'gs' is no place for objects"),
            ("", "no place is named"),
            ("s3://L", "no name of a bucket"),
        ] {
            let refused = open(address, None, &keys).unwrap_err().to_string();
            assert!(refused.contains(why), "{address}: {refused}");
        }
        assert!(open("s3://lake", Some(S3Style::Path), &|_| None).is_err());
    }
}

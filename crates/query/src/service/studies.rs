//! Studies of the lab, where the process was given their folder.

use super::Service;
use crate::studies::{StudyFolder, StudyFolderError};
use barograph_api::studies::{LabStudies, LabStudyView};
use barograph_api::{AskStudies, QueryError};
use std::path::PathBuf;

impl Service {
    /// Studies are in this folder. Once.
    pub fn studies_in(&self, folder: PathBuf) {
        // A second folder is not meant by anybody.
        drop(self.studies.set(StudyFolder::new(folder)));
    }
}

impl AskStudies for Service {
    fn studies(&self) -> Result<LabStudies, QueryError> {
        Ok(self.studies.get().map(StudyFolder::list).unwrap_or_default())
    }

    fn study(&self, study: &str) -> Result<LabStudyView, QueryError> {
        let unknown = || StudyFolderError::Unknown(study.to_owned());
        let found = self.studies.get().ok_or_else(unknown).and_then(|folder| folder.study(study));
        found.map_err(|e| QueryError::BadField {
            field: "study".to_owned(),
            value: study.to_owned(),
            reason: match e {
                StudyFolderError::Unknown(id) => format!("there is no study '{id}'; /api/v1/studies lists them"),
                StudyFolderError::Unread(why) => format!("its board cannot be read: {why}"),
            },
        })
    }
}

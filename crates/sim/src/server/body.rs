//! The body of an answer: all of it, or, on purpose, not all of it.

use bytes::Bytes;
use core::pin::Pin;
use core::task::{Context, Poll};
use hyper::body::{Frame, SizeHint};
use std::io;

/// Bytes with a stated length; the connection breaks where they end early.
#[derive(Debug)]
pub(crate) struct Body {
    left: Option<Bytes>,
    stated: u64,
    breaks: bool,
    /// What was given is on its way only after one more turn.
    waited: bool,
}

impl Body {
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        let stated = bytes.len() as u64;
        Self { left: Some(Bytes::from(bytes)), stated, breaks: false, waited: false }
    }

    /// States the full length, sends half, and breaks the connection.
    pub(crate) fn half(bytes: Vec<u8>) -> Self {
        let stated = bytes.len() as u64;
        let half = Bytes::from(bytes).split_to(crate::num::index(i64::try_from(stated / 2).unwrap_or(0)));
        Self { left: Some(half), stated, breaks: true, waited: false }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.left.take().filter(|b| !b.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if self.breaks && !self.waited {
            self.waited = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if core::mem::take(&mut self.breaks) {
            return Poll::Ready(Some(Err(io::Error::other("cut on purpose"))));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        !self.breaks && self.left.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.left {
            Some(_) => SizeHint::with_exact(self.stated),
            None => SizeHint::default(),
        }
    }
}

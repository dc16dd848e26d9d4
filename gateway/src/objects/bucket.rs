//! Why: the store of a province. An upload lies in segments, each an object under a name of its
//! own; a sealed file is never put together, because bytes are the load and an object that is
//! moved is written twice. Names begin with the hour in which they were made, so that what a crash
//! has left behind is found by looking once at each hour, not at everything for ever.
//!
//! Refuses: to replace an object (conditional put), a store that replaces all the same, an address
//! without TLS on another machine, and to hold more of all uploads in memory than a fixed measure.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutMode,
    PutPayload, RetryConfig,
};
use personal::PersonalBytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::reader::{Fetch, SegmentReader};
use super::{Counted, Extension, Later, Listed, ObjectError, Objects, Segment};
use crate::failpoints::crash_point;

/// Bytes of a segment. An object store takes its time for each object, whatever its size.
const SEGMENT: usize = 8 << 20;
/// Memory is given out in such pieces.
const PIECE: usize = 256 << 10;
/// Pieces that all uploads under way may hold together: 256 MiB. When they are used up, segments
/// become smaller, and then senders wait.
const PIECES: usize = 1024;
/// One request, with its body.
const REQUEST: Duration = Duration::from_secs(30);
/// A request with all that is tried again.
const WITH_RETRIES: Duration = Duration::from_secs(60);
/// Names on a page.
const PAGE: usize = 1000;
/// The object by which a start sees that the bucket can be relied on.
const MARK: &str = "ronggui";

/// A bucket, and how to reach it. Keys come from the environment (`AWS_ACCESS_KEY_ID` and so on).
#[derive(Clone, Debug)]
pub struct BucketAddress {
    bucket: String,
    prefix: String,
    endpoint: Option<String>,
    authority: Option<Vec<u8>>,
}

impl BucketAddress {
    pub(super) fn parse(text: &str, endpoint: Option<&str>) -> Result<Self, ObjectError> {
        let address = |what: &str| ObjectError::Address { what: what.to_owned() };
        let rest = text.strip_prefix("s3://").ok_or_else(|| address("it begins with s3://"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = Path::parse(prefix)
            .map_err(|_| address("the part after the bucket cannot be used in names"))?;
        if bucket.is_empty() || bucket.contains(['@', ':', '?', '#']) {
            return Err(address("it is not of the form s3://bucket/prefix"));
        }
        if let Some(endpoint) = endpoint {
            let url = reqwest::Url::parse(endpoint);
            let url = url.map_err(|_| address("--s3-endpoint is no URL"))?;
            let is_here = match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
                Some("localhost") => true,
                Some(host) => {
                    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
                }
                None => false,
            };
            if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
                return Err(address("--s3-endpoint must be https:// unless it is this machine"));
            }
        }
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_string());
        Ok(Self { bucket, prefix, endpoint: endpoint.map(str::to_owned), authority: None })
    }

    /// The PEM of the authority that vouches for the store, when it is none that the system knows.
    pub fn vouched_for_by(mut self, pem: Vec<u8>) -> Self {
        self.authority = Some(pem);
        self
    }

    fn connect(&self) -> Result<AmazonS3, ObjectError> {
        let mut client = ClientOptions::new()
            .with_timeout(REQUEST)
            .with_connect_timeout(Duration::from_secs(5))
            .with_allow_http(self.endpoint.as_ref().is_some_and(|at| at.starts_with("http://")));
        if let Some(pem) = &self.authority {
            let certificate = object_store::Certificate::from_pem(pem).map_err(unusable)?;
            client = client.with_root_certificate(certificate);
        }
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(5),
                base: 2.0,
            },
            max_retries: 4,
            retry_timeout: WITH_RETRIES,
        };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&self.bucket)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder.build().map_err(unusable)
    }
}

#[derive(Clone)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: String,
    memory: Arc<Semaphore>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").finish_non_exhaustive()
    }
}

impl Bucket {
    pub async fn open(address: &BucketAddress) -> Result<Self, ObjectError> {
        // The client takes the process's provider; that another was installed before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = Arc::new(address.connect()?);
        let memory = Arc::new(Semaphore::new(PIECES));
        let bucket = Self { store, prefix: address.prefix.clone(), memory };
        bucket.prove().await?;
        Ok(bucket)
    }

    /// A receipt rests on an object that nothing replaces.
    async fn prove(&self) -> Result<(), ObjectError> {
        let mark = || PutPayload::from_static(b"Objects beside this one belong to Ronggui.\n");
        let path = self.path(MARK);
        let create = || self.store.put_opts(&path, mark(), PutMode::Create.into());
        match create().await {
            Ok(_) | Err(Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(refused("write the mark of this store")(error)),
        }
        match create().await {
            Err(Error::AlreadyExists { .. }) => Ok(()),
            Ok(_) => Err(ObjectError::Replaces),
            Err(error) => Err(refused("write the mark of this store")(error)),
        }
    }

    fn path(&self, name: &str) -> Path {
        match self.prefix.is_empty() {
            true => Path::from(name),
            false => Path::from(format!("{}/{name}", self.prefix)),
        }
    }

    /// The name below the prefix.
    fn name(&self, path: &Path) -> String {
        let name = path.as_ref();
        let name = name.strip_prefix(self.prefix.as_str()).unwrap_or(name);
        name.trim_start_matches('/').to_owned()
    }

    async fn create(&self, name: &str, payload: PutPayload) -> Result<(), ObjectError> {
        let (path, bytes) = (self.path(name), payload.content_length() as u64);
        match self.store.put_opts(&path, payload, PutMode::Create.into()).await {
            Ok(_) => Ok(()),
            // The name is ours alone: an answer was lost, and what lies there is what we sent.
            Err(error @ Error::AlreadyExists { .. }) => match self.store.head(&path).await {
                Ok(there) if there.size == bytes => Ok(()),
                _ => Err(refused("keep an object")(error)),
            },
            Err(error) => Err(refused("keep an object")(error)),
        }
    }

    async fn remove(&self, names: Vec<String>) -> Result<(), ObjectError> {
        for name in names {
            match self.store.delete(&self.path(&name)).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(refused("remove an object")(error)),
            }
        }
        Ok(())
    }

    async fn get(self, name: String) -> Result<Bytes, ObjectError> {
        let found = async { self.store.get(&self.path(&name)).await?.bytes().await }.await;
        found.map_err(|error| match error {
            Error::NotFound { .. } => ObjectError::Missing(name),
            error => refused("read an object")(error),
        })
    }

    async fn page(
        &self,
        under: &str,
        delimiter: Option<&'static str>,
        page: Option<String>,
    ) -> Result<object_store::list::PaginatedListResult, ObjectError> {
        // Unlike other listings this one takes the prefix as it is.
        let prefix = format!("{}/", self.path(under));
        let options = PaginatedListOptions {
            delimiter: delimiter.map(Into::into),
            max_keys: Some(PAGE),
            page_token: page,
            ..PaginatedListOptions::default()
        };
        self.store.list_paginated(Some(&prefix), options).await.map_err(refused("list objects"))
    }
}

impl Fetch for Bucket {
    fn fetch(&self, object: String) -> Later<'static, Bytes> {
        Box::pin(self.clone().get(object))
    }
}

impl Objects for Bucket {
    fn is_segmented(&self) -> bool {
        true
    }

    fn ready(&self) -> Later<'_, ()> {
        Box::pin(async move {
            let mark = self.store.head(&self.path(MARK)).await;
            mark.map(drop).map_err(refused("find the mark of this store"))
        })
    }

    fn extend(&self, id: Uuid, at: u64) -> Later<'_, Box<dyn Extension>> {
        let bucket = self.clone();
        Box::pin(async move {
            let extension =
                Segments { bucket, id, at, held: Vec::new(), size: 0, room: None, laid: vec![] };
            Ok(Box::new(extension) as Box<dyn Extension>)
        })
    }

    fn present(&self, mut upload: Counted) -> Later<'_, u64> {
        Box::pin(async move {
            let mut there = 0;
            for segment in &upload.segments {
                match self.store.head(&self.path(&segment.object)).await {
                    Ok(found) if found.size == segment.bytes => there += 1,
                    Ok(_) | Err(Error::NotFound { .. }) => break,
                    Err(error) => return Err(refused("find an object")(error)),
                }
            }
            upload.segments.truncate(there);
            Ok(reach(&upload.segments).min(upload.received))
        })
    }

    /// It has it already.
    fn keep(&self, _: Uuid) -> Later<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn read(&self, _: Uuid, segments: Vec<Segment>) -> Later<'_, Box<dyn std::io::Read + Send>> {
        let bucket = self.clone();
        Box::pin(async move {
            Ok(Box::new(SegmentReader::new(bucket, segments)) as Box<dyn std::io::Read + Send>)
        })
    }

    fn forget(&self, _: Uuid, objects: Vec<String>) -> Later<'_, ()> {
        Box::pin(self.remove(objects))
    }

    fn put_papers(&self, papers: Vec<(String, PersonalBytes)>) -> Later<'_, ()> {
        struct Wiped(PersonalBytes);
        impl AsRef<[u8]> for Wiped {
            fn as_ref(&self) -> &[u8] {
                self.0.expose()
            }
        }
        Box::pin(async move {
            for (name, bytes) in papers {
                let payload = PutPayload::from_bytes(Bytes::from_owner(Wiped(bytes)));
                self.create(&format!("cases/{name}"), payload).await?;
            }
            Ok(())
        })
    }

    fn paper(&self, name: String) -> Later<'_, Vec<u8>> {
        Box::pin(async move { Ok(self.clone().get(format!("cases/{name}")).await?.to_vec()) })
    }

    fn remove_papers(&self, names: Vec<String>) -> Later<'_, ()> {
        Box::pin(self.remove(names.iter().map(|name| format!("cases/{name}")).collect()))
    }

    fn shelves(&self, after: String, now: Timestamp) -> Later<'_, Vec<String>> {
        Box::pin(async move {
            // The hour has to be over, and what was begun in its last minute to be counted.
            let over = hour(now - SignedDuration::from_hours(2));
            let (mut hours, mut page) = (Vec::new(), None);
            loop {
                let found = self.page("uploads", Some("/"), page).await?;
                let names = found.result.common_prefixes.iter().filter_map(Path::filename);
                hours.extend(names.map(str::to_owned));
                page = found.page_token;
                if page.is_none() {
                    break;
                }
            }
            hours.retain(|name| *name > after && *name <= over);
            hours.sort();
            Ok(hours)
        })
    }

    fn shelf(
        &self,
        shelf: String,
        page: Option<String>,
    ) -> Later<'_, (Vec<Listed>, Option<String>)> {
        Box::pin(async move {
            let found = self.page(&format!("uploads/{shelf}"), None, page).await?;
            let listed = found.result.objects.iter().filter_map(|meta| {
                let written = Timestamp::from_millisecond(meta.last_modified.timestamp_millis());
                let object = self.name(&meta.location);
                let (upload, made) = read_name(&object)?;
                Some(Listed { upload, object, at: written.ok()?.max(made) })
            });
            Ok((listed.collect(), found.page_token))
        })
    }

    fn discard(&self, objects: Vec<String>) -> Later<'_, ()> {
        Box::pin(self.remove(objects))
    }
}

/// An upload that is being added to.
struct Segments {
    bucket: Bucket,
    id: Uuid,
    at: u64,
    held: Vec<Bytes>,
    size: usize,
    room: Option<OwnedSemaphorePermit>,
    laid: Vec<Segment>,
}

impl Segments {
    /// Memory for `more` bytes beside those that are held. Whoever has some gets more at once or
    /// writes first what it has, so that nobody waits for somebody who waits.
    async fn make_room(&mut self, more: usize) -> Result<(), ObjectError> {
        let have = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = (self.size + more).div_ceil(PIECE).saturating_sub(have);
        if wanted == 0 {
            return Ok(());
        }
        let count = |pieces: usize| u32::try_from(pieces).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.bucket.memory);
        if self.size > 0 {
            if let Ok(permit) = Arc::clone(&memory).try_acquire_many_owned(count(wanted)) {
                match &mut self.room {
                    Some(room) => room.merge(permit),
                    None => self.room = Some(permit),
                }
                return Ok(());
            }
            self.put().await?;
        }
        self.room = None;
        // Never closed, so the error is for completeness.
        self.room = memory.acquire_many_owned(count(more.div_ceil(PIECE))).await.ok();
        Ok(())
    }

    async fn put(&mut self) -> Result<(), ObjectError> {
        if self.size == 0 {
            return Ok(());
        }
        let (bytes, at) = (self.size as u64, self.at);
        let object = segment_name(self.id, at, Timestamp::now(), Uuid::now_v7());
        let payload: PutPayload = std::mem::take(&mut self.held).into_iter().collect();
        self.size = 0;
        self.bucket.create(&object, payload).await?;
        self.room = None;
        self.at += bytes;
        self.laid.push(Segment { at, bytes, object });
        Ok(())
    }
}

impl Extension for Segments {
    fn write(&mut self, mut data: Bytes) -> Later<'_, ()> {
        Box::pin(async move {
            while !data.is_empty() {
                if self.size == SEGMENT {
                    self.put().await?;
                }
                let part = data.split_to(data.len().min(SEGMENT - self.size).min(PIECE));
                self.make_room(part.len()).await?;
                self.size += part.len();
                self.held.push(part);
            }
            Ok(())
        })
    }

    fn finish(mut self: Box<Self>) -> Later<'static, Vec<Segment>> {
        Box::pin(async move {
            self.put().await?;
            crash_point!("gateway.append.written");
            Ok(self.laid)
        })
    }

    fn undo(self: Box<Self>) -> Later<'static, ()> {
        Box::pin(async move {
            let names = self.laid.into_iter().map(|segment| segment.object).collect();
            self.bucket.remove(names).await
        })
    }
}

/// How far the segments go without a gap.
fn reach(segments: &[Segment]) -> u64 {
    segments.iter().fold(0, |end, segment| match segment.at == end {
        true => end + segment.bytes,
        false => end,
    })
}

/// `uploads/<hour>/<upload>/<offset>-<unique>`.
fn segment_name(id: Uuid, at: u64, now: Timestamp, unique: Uuid) -> String {
    format!("uploads/{}/{id}/{at:012}-{}", hour(now), unique.simple())
}

fn hour(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H").to_string()
}

/// Which upload a name belongs to, and when it was made.
fn read_name(name: &str) -> Option<(Uuid, Timestamp)> {
    let mut parts = name.strip_prefix("uploads/")?.split('/');
    let (_, id, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let unique: Uuid = rest.split_once('-')?.1.parse().ok()?;
    let (seconds, nanoseconds) = unique.get_timestamp()?.to_unix();
    let made = Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?);
    Some((id.parse().ok()?, made.ok()?))
}

fn refused(doing: &'static str) -> impl FnOnce(Error) -> ObjectError {
    move |error| ObjectError::Store { doing, said: error.to_string() }
}

fn unusable(error: Error) -> ObjectError {
    ObjectError::Address { what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_clear_is_for_this_machine_only() {
        let here = ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"];
        for endpoint in here.into_iter().chain(["https://s3.example:9000"]) {
            assert!(BucketAddress::parse("s3://b/p", Some(endpoint)).is_ok(), "{endpoint}");
        }
        for endpoint in ["http://s3.example", "ftp://127.0.0.1", "not an address"] {
            assert!(BucketAddress::parse("s3://b/p", Some(endpoint)).is_err(), "{endpoint}");
        }
        for text in ["s3://", "s3:///p", "s3://key:secret@b/p", "s3://b/a//b"] {
            assert!(BucketAddress::parse(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_tells_its_upload_and_its_time() {
        let (id, unique) = (Uuid::now_v7(), Uuid::now_v7());
        let now = Timestamp::now();
        let name = segment_name(id, 17, now, unique);
        let (read, made) = read_name(&name).unwrap();
        assert_eq!(read, id);
        assert!((now - made).as_secs().abs() < 2);
        for odd in ["ronggui", "uploads/x", "cases/a/b/c", "uploads/2026-01-01T00/x/1-y"] {
            assert!(read_name(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn segments_reach_to_their_first_gap() {
        let segment = |at, bytes| Segment { at, bytes, object: String::new() };
        assert_eq!(reach(&[]), 0);
        assert_eq!(reach(&[segment(0, 3), segment(3, 4)]), 7);
        assert_eq!(reach(&[segment(0, 3), segment(4, 4)]), 3);
        assert_eq!(reach(&[segment(1, 3)]), 0);
    }
}

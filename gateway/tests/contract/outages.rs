//! A store that does not answer for a while: nobody is promised anything, and nobody is refused for
//! good.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::{ServeOptions, serve};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::stores::{Ground, Kind};
use crate::support::{Site, catalog_dir, code};

/// A wire that can be cut.
struct Wire {
    at: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Wire {
    fn to(far: String) -> Arc<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let (whole, state) = watch::channel(true);
        tokio::spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((mut near, _)) = listener.accept().await {
                let (far, mut state) = (far.clone(), state.clone());
                tokio::spawn(async move {
                    if !*state.borrow() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(far).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Arc::new(Self { at, whole })
    }
}

fn host(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    rest.split('/').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_or_a_bucket_that_is_away_is_waited_for() {
    let site = Site::new();
    let (mut database, mut bucket) = (None, None);
    let ground = Ground::through(
        Kind::Shared,
        site.dir.path(),
        |url| {
            let (host, wire) = (host(&url), Wire::to(host(&url)));
            let near = url.replace(&host, &wire.at.to_string());
            database = Some(wire);
            near
        },
        |endpoint| {
            let wire = Wire::to(host(&endpoint));
            let near = format!("http://{}", wire.at);
            bucket = Some(wire);
            near
        },
    );
    let any = "127.0.0.1:0".parse().unwrap();
    let mut options = ServeOptions::new(site.dir.path(), any, &catalog_dir());
    options.stores = ground.stores.clone();
    let gateway = serve(options).await.unwrap();
    let at = gateway.addr;
    let terminal = site.terminal();
    let wires = [database.unwrap(), bucket.unwrap()];
    for wire in &wires {
        let sealed = site.seal(&terminal, &site.application(&terminal));
        assert_eq!(terminal.announce(at, &sealed).await.status(), 201);
        wire.whole.send_replace(false);
        let sent = terminal.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
        assert_eq!(sent.status(), 503);
        assert!(sent.headers().contains_key("retry-after"));
        assert_eq!(code(sent).await, "busy_store");
        let ready = terminal.client.get(format!("https://{at}/readyz")).send().await.unwrap();
        assert_eq!(ready.status(), 503);
        wire.whole.send_replace(true);
        // Connections that are idle are tried before they are used.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(terminal.offset(at, sealed.id).await, 0);
        terminal.upload_rest(at, &sealed, 0).await;
    }
    site.cases_when(at, &terminal, |cases| cases.len() == 2).await;
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_program_keeps_is_waited_for() {
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let other = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = terminal.announce(gateway.addr, &sealed).await;
    assert_eq!(busy.status(), 503);
    assert_eq!(code(busy).await, "busy_store");
    other.execute_batch("ROLLBACK").unwrap();
    terminal.upload(gateway.addr, &sealed).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_at_the_start() {
    let site = Site::new();
    let mut ground = Ground::new(Kind::Shared, site.dir.path());
    let endpoint = ground.arguments.last().unwrap().clone();
    ground.stores.objects = gateway::Depot::parse("s3://not-there/x", Some(&endpoint)).unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let mut options = ServeOptions::new(site.dir.path(), any, &catalog_dir());
    options.stores = ground.stores;
    let Err(error) = serve(options).await else { panic!("served without a bucket") };
    assert!(error.to_string().contains("object store"), "{error}");
}

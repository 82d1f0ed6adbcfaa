//! Bytes in a bucket, against a real server. Without `GALLEY_TEST_S3_URL` the tests do nothing and say so.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use galley_domain::{Hidden, image::ImageSource, project::Platform};
use galley_images::{Card, render_card};
use galley_services::{Blobs, Bucket, ImageLink, PictureOrder, PostId, Upload};
use galley_testkit::{Harness, order};

fn bucket() -> Option<Bucket> {
    let Ok(endpoint) = std::env::var("GALLEY_TEST_S3_URL") else {
        eprintln!("no bucket is asked: GALLEY_TEST_S3_URL is not set");
        return None;
    };
    let or = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    Some(Bucket {
        endpoint: Some(endpoint),
        name: or("GALLEY_TEST_S3_BUCKET", "artifacts"),
        region: "us-east-1".into(),
        access_key_id: Hidden::new(or("GALLEY_TEST_S3_KEY", "peerkey")),
        secret_access_key: Hidden::new(or("GALLEY_TEST_S3_SECRET", "peersecret")),
        path_style: true,
    })
}

/// A link as it stands in an answer.
fn parsed(link: &str) -> ImageLink {
    let (path, query) = link.split_once('?').unwrap();
    let mut path = path.trim_start_matches("/api/v1/images/").split('/');
    let mut values = query.split('&').map(|pair| pair.split_once('=').unwrap().1.to_owned());
    ImageLink {
        image: path.next().unwrap().parse().unwrap(),
        part: path.next().unwrap().to_owned(),
        org: values.next().unwrap().parse().unwrap(),
        expires: values.next().unwrap().parse().unwrap(),
        signature: values.next().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_pictures_live_in_a_bucket_and_are_swept_there() {
    let Some(bucket) = bucket() else { return };
    let blobs = Blobs::bucket(&bucket).unwrap();
    blobs.check().await.unwrap();
    let harness = Harness::builder().keyring().blobs(blobs.clone()).build().await;
    let (services, org) = (&harness.services, harness.principal.org);

    let text = "Tea is a drink made from leaves. ".repeat(20_000);
    let upload = Upload { name: "tea.txt".into(), bytes: text.clone().into() };
    let file = services.upload(org, upload, None).await.unwrap().value.id;
    let (row, pieces) = services.file_pieces(org, file).await.unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert!(pieces.len() > 4 && pieces.concat() == text.as_bytes());

    let project = services.create_project(org, "Tea", Platform::Wordpress, None).await.unwrap().value.id;
    let mut ordered = order();
    ordered.project_id = Some(project);
    let post = services.order(&harness.principal, ordered, "t", None).await.unwrap().value.subject.unwrap();
    let post = PostId { project, post };
    let card = Card { title: "Tea".into(), subtitle: None, language: "en".into(), seed: 3 };
    let bytes = render_card(&card).unwrap().png.into();
    let picture = PictureOrder { bytes, source: ImageSource::Upload, alt_text: None, credit: None };
    let image = services.add_image(org, post, picture, None).await.unwrap().value;
    let link = parsed(&image.variants["hero_webp"]);
    let shown = services.image_bytes(&link, chrono::Utc::now()).await.unwrap();
    let shown: Vec<Bytes> = shown.pieces.try_collect().await.unwrap();
    assert!(shown.concat().starts_with(b"RIFF"));

    // Both are named, so a sweep of everything that nobody names leaves them.
    services.system().sweep_blobs_older_than(Duration::ZERO).await.unwrap();
    assert_eq!(services.file_bytes(org, file).await.unwrap().1, text.as_bytes());
    services.delete_image(org, post, image.row.id).await.unwrap();
    assert!(blobs.get(&image.row.blob).await.is_err(), "gone with its row");
    services.delete_file(org, file).await.unwrap();
    assert!(blobs.get(&row.blob).await.is_ok(), "until the sweep");
    assert!(services.system().sweep_blobs_older_than(Duration::ZERO).await.unwrap() >= 1);
    assert!(blobs.get(&row.blob).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_ours_says_so_without_the_key() {
    let Some(bucket) = bucket() else { return };
    for wrong in [
        Bucket { secret_access_key: Hidden::new("planted-secret"), ..bucket.clone() },
        Bucket { name: "no-such-bucket".into(), ..bucket.clone() },
    ] {
        let error = Blobs::bucket(&wrong).unwrap().check().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted-secret"), "{error:?}");
    }
}

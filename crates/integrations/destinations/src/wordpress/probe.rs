//! What a login can do on a site: tried out where trying leaves nothing behind.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use galley_domain::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    WordPress,
    failure::Failure,
    locks::alone,
    media, posts, seo,
    site::{Site, read},
};
use crate::{
    post::{Asset, AssetRole, SeoMeta},
    probe::{Capability, CapabilityId, CapabilityStatus, Probe},
    remote::SeoOutcome,
};
use CapabilityStatus::{Failed, Ok as Fine, Unknown, Warning};

/// Each look takes the time of a few requests.
pub(super) const TIME: Duration = Duration::from_secs(15);
/// A clock that is further off publishes at other times than were meant.
const MAX_SKEW_SECONDS: i64 = 60;
/// A post may be this late before somebody has to look at it.
const LATE: chrono::Duration = chrono::Duration::minutes(10);
const TITLE: &str = "A probe by Galley that removes itself";
/// The content and the name of its draft: one that a killed probe has left is found by either of them.
const MARK: &str = "<!-- galleyprobe-7d1f3a -->";
const WORD: &str = "galleyprobe-7d1f3a";
const SLUG: &str = "galley-probe-draft";

/// A picture of one transparent point.
const POINT: [u8; 67] = [
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// The login, as the site knows it.
#[derive(Debug, Deserialize)]
struct Me {
    #[serde(default)]
    roles: Vec<String>,
    /// An empty list where there are none.
    #[serde(default)]
    capabilities: Value,
}

impl Me {
    fn can(&self, what: &str) -> bool {
        self.capabilities.get(what).and_then(Value::as_bool).unwrap_or(false)
    }
}

struct Prober<'a> {
    wordpress: &'a WordPress,
    site: &'a Site,
    began: Instant,
    /// Of the site's software.
    version: Option<String>,
    found: Vec<Capability>,
}

pub(super) async fn probe(wordpress: &WordPress) -> Probe {
    let prober = Prober { wordpress, site: &wordpress.site, began: Instant::now(), version: None, found: Vec::new() };
    prober.run().await
}

impl Prober<'_> {
    async fn run(mut self) -> Probe {
        if let Err(fault) = self.root().await {
            return self.ended(None, Some(fault.to_string()));
        }
        let me = match self.identity().await {
            Ok(me) => me,
            Err(message) => return self.ended(None, Some(message)),
        };
        self.upload(&me).await;
        self.terms(&me);
        self.publish(&me).await;
        self.blocks().await;
        self.cron().await;
        self.redirects().await;
        self.ended(Some(me), None)
    }

    fn note(&mut self, id: CapabilityId, status: CapabilityStatus, evidence: impl Into<String>, help: &str) {
        let (evidence, help) = (evidence.into(), help.to_owned());
        self.found.push(Capability { id, status, evidence, help });
    }

    /// Whether there is time for another look; notes that there was none.
    fn has_time(&mut self, id: CapabilityId) -> bool {
        let has_time = self.began.elapsed() < self.wordpress.settings.probe_time;
        if !has_time {
            self.note(id, Unknown, "not looked at, since the site answers slowly", "Try again later.");
        }
        has_time
    }

    async fn root(&mut self) -> Result<(), Fault> {
        match self.site.root().await {
            Ok(root) => {
                let (evidence, zone, date) = (root.describe(), root.timezone.clone(), root.date.clone());
                self.note(CapabilityId::RestRoot, Fine, format!("the REST interface was {evidence}"), "");
                self.timezone(zone);
                self.clock(date);
                Ok(())
            }
            Err(fault) => {
                let help = "Check the address of the site, and that no plugin or firewall closes its REST interface.";
                self.note(CapabilityId::RestRoot, Failed, fault.to_string(), help);
                Err(fault)
            }
        }
    }

    fn timezone(&mut self, zone: Option<String>) {
        let help =
            "Choose a city as the time zone in the site's settings, or its hours will not follow daylight saving.";
        match zone {
            Some(zone) if zone.starts_with("UTC+") || zone.starts_with("UTC-") => {
                self.note(CapabilityId::Timezone, Warning, format!("the site's time is {zone}"), help);
            }
            Some(zone) => self.note(CapabilityId::Timezone, Fine, format!("the site's time zone is {zone}"), ""),
            None => self.note(CapabilityId::Timezone, Unknown, "the site does not say its time zone", ""),
        }
    }

    fn clock(&mut self, date: Option<String>) {
        let sent = date.and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
        let Some(sent) = sent else {
            return self.note(CapabilityId::Clock, Unknown, "the site's answers have no date", "");
        };
        let skew = (sent.with_timezone(&Utc) - Utc::now()).num_seconds();
        if skew.abs() <= MAX_SKEW_SECONDS {
            return self.note(CapabilityId::Clock, Fine, "the site's clock agrees with ours", "");
        }
        let help = "Set the clock of the site's server or of this one: what is scheduled comes by so much too early or too late.";
        self.note(CapabilityId::Clock, Warning, format!("the site's clock is {skew} s off ours"), help);
    }

    /// The login, or the sentence that says why there is none.
    async fn identity(&mut self) -> Result<Me, String> {
        let query = [("context", "edit"), ("_fields", "id,name,roles,capabilities")];
        let answer = self.site.get("wp/v2/users/me", &query).await;
        let me = answer.and_then(|answer| read::<Me>(answer.json));
        let failure = match me {
            Ok(me) => {
                let role = me.roles.first().cloned().unwrap_or_else(|| "no role".to_owned());
                let user = self.site.client().user().to_owned();
                self.note(CapabilityId::Identity, Fine, format!("the site knows {user} as {role}"), "");
                self.note(CapabilityId::AuthorizationHeader, Fine, "the login arrived", "");
                return Ok(me);
            }
            Err(failure) => failure,
        };
        // WordPress says either of a login that it looked at; as a stranger comes whoever's login was taken away.
        let arrived = failure.refusal().is_some_and(|refusal| {
            ["incorrect_", "invalid_", "application_passwords_disabled"]
                .iter()
                .any(|word| refusal.code.starts_with(word))
        });
        let message = failure.into_fault("accept the login").to_string();
        let help = "Make a new application password in the user's profile there, and check that application passwords are \
                    not switched off.";
        self.note(CapabilityId::Identity, Failed, message.clone(), help);
        if arrived {
            self.note(CapabilityId::AuthorizationHeader, Fine, "the site looked at the login", "");
        } else {
            let help = "If the login is right, the server takes the Authorization header away: let it pass (Apache: \
                        CGIPassAuth On, or SetEnvIf Authorization).";
            self.note(CapabilityId::AuthorizationHeader, Unknown, "the site answered as to a stranger", help);
        }
        Err(message)
    }

    async fn upload(&mut self, me: &Me) {
        let help = "Give the user the role of an author or more, and look whether the site's folder for uploads can be written to.";
        if !me.can("upload_files") {
            return self.note(CapabilityId::Upload, Failed, "the user may not upload files", help);
        }
        if !self.has_time(CapabilityId::Upload) {
            return;
        }
        let asset = Asset {
            name: "galley-probe.png".to_owned(),
            bytes: POINT.to_vec(),
            smaller: None,
            alt: String::new(),
            caption: String::new(),
            credit: String::new(),
            role: AssetRole::Inline,
        };
        let media = match media::ensure(self.site, &asset, None).await {
            Ok(media) => media,
            Err(fault) => return self.note(CapabilityId::Upload, Failed, fault.to_string(), help),
        };
        match media::delete(self.site, media.id).await {
            Ok(()) => self.note(CapabilityId::Upload, Fine, "a picture was uploaded and deleted again", ""),
            Err(failure) => {
                let why = failure.into_fault("delete it");
                let evidence = format!("a picture was uploaded as {}; {why}", media.id);
                self.note(CapabilityId::Upload, Warning, evidence, "Delete the picture galley-probe there.");
            }
        }
    }

    fn terms(&mut self, me: &Me) {
        if me.can("manage_categories") {
            return self.note(CapabilityId::Terms, Fine, "the user may make categories and tags", "");
        }
        let help = "Make the categories there, or give the user the role of an editor: authors may make tags only.";
        self.note(CapabilityId::Terms, Warning, "the user may not make categories", help);
    }

    /// Makes a draft, tries the SEO fields on it, and deletes it.
    async fn publish(&mut self, me: &Me) {
        if !self.has_time(CapabilityId::Publish) {
            return self.note(CapabilityId::SeoMeta, Unknown, "not looked at, since the site answers slowly", "");
        }
        // Another probe of this process would take the draft for one that was left.
        let _alone = alone(self.site.key("probe")).await;
        // Whoever may not list drafts finds none, and may not make any; that is told below.
        _ = self.remove_drafts().await;
        let fields = json!({ "title": TITLE, "content": MARK, "status": "draft", "slug": SLUG });
        let draft = match posts::write(self.site, None, &fields).await {
            Ok(draft) => draft,
            Err(failure) => return self.no_draft(failure).await,
        };
        self.seo(&draft).await;
        let left = match posts::remove(self.site, draft.id, true).await {
            Ok(_) => None,
            // It may be gone all the same.
            Err(failure) => self.remove_drafts().await.err().map(|_| failure.into_fault("delete the draft")),
        };
        match (me.can("publish_posts"), left) {
            (false, _) => {
                let help = "Give the user the role of an author or more, or publish as \"pending\" for somebody there to approve.";
                self.note(CapabilityId::Publish, Failed, "the user may write drafts and not publish them", help);
            }
            (true, None) => self.note(CapabilityId::Publish, Fine, "a draft was made and deleted again", ""),
            (true, Some(why)) => {
                let evidence = format!("a draft was made as post {}; {why}", draft.id);
                self.note(CapabilityId::Publish, Warning, evidence, "Delete the draft there.");
            }
        }
    }

    /// Says why there is no draft. Where an answer was lost there may be one all the same, which goes.
    async fn no_draft(&mut self, failure: Failure) {
        let is_refused = failure.is_forbidden();
        let fault = failure.into_fault("take a draft");
        let help = if is_refused {
            "Give the user the role of an author or more."
        } else if fault.is_transient() {
            "Try again; if it stays so, look whether a firewall or a time limit of the server stands before the site."
        } else {
            "Look whether a plugin of the site keeps posts from being made through REST."
        };
        let why = match self.remove_drafts().await {
            Ok(0) => fault.to_string(),
            Ok(_) => format!("{fault}; the draft was made all the same, and deleted again"),
            Err(_) => format!("{fault}; a draft named {TITLE:?} may be left there"),
        };
        self.note(CapabilityId::Publish, Failed, why, help);
        self.note(CapabilityId::SeoMeta, Unknown, "there was no draft to try it on", "");
    }

    /// Deletes drafts of probes, those of killed ones too; says how many there were.
    async fn remove_drafts(&self) -> Result<usize, Failure> {
        let mut drafts = posts::searched(self.site, WORD).await?;
        drafts.extend(posts::by_slugs(self.site, &[SLUG.to_owned()]).await?);
        // What somebody has made of a draft is theirs.
        drafts.retain(|draft| draft.status == "draft" && draft.title() == TITLE && draft.content.raw.contains(WORD));
        drafts.sort_by_key(|draft| draft.id);
        drafts.dedup_by_key(|draft| draft.id);
        for draft in &drafts {
            posts::remove(self.site, draft.id, true).await?;
        }
        Ok(drafts.len())
    }

    async fn seo(&mut self, draft: &posts::RemotePost) {
        let meta = SeoMeta {
            title: "A title by Galley".to_owned(),
            description: "A description by Galley.".to_owned(),
            focus_keyword: "galley".to_owned(),
        };
        let seen = seo::write(self.site, draft, &meta).await;
        let way = seen.way.or(seo::plugin(self.site).await.map(str::to_owned));
        let name = way.clone().unwrap_or_else(|| "a plugin".to_owned());
        let (status, evidence, help) = match (seen.outcome, way.is_some()) {
            (SeoOutcome::Written, _) => (Fine, format!("{name} keeps SEO title and description"), ""),
            (SeoOutcome::Unknown, true) => (
                Unknown,
                format!("{name} takes SEO title and description; whether it keeps them shows with the first article"),
                "",
            ),
            (SeoOutcome::Ignored, _) => (
                Warning,
                format!("{name} takes SEO title and description and does not keep them"),
                "Register the plugin's keys for REST on posts (show_in_rest), or write the fields there by hand.",
            ),
            (SeoOutcome::NotSupported, true) => (
                Warning,
                format!("{name} has no way in for SEO title and description"),
                "Register the plugin's keys for REST on posts (show_in_rest), or write the fields there by hand.",
            ),
            _ => (
                Warning,
                "no SEO plugin that takes title and description was found".to_owned(),
                "Without one the site makes its own of title and excerpt; nothing has to be done.",
            ),
        };
        let evidence = seen.warning.map_or(evidence.clone(), |warning| format!("{evidence} ({warning})"));
        self.note(CapabilityId::SeoMeta, status, evidence, help);
    }

    async fn blocks(&mut self) {
        match self.wordpress.has_block_editor().await {
            Ok(true) => self.note(CapabilityId::Blocks, Fine, "the site has the block editor", ""),
            Ok(false) => self.note(
                CapabilityId::Blocks,
                Warning,
                "the site edits with the editor of old; articles are plain HTML",
                "",
            ),
            Err(fault) => self.note(CapabilityId::Blocks, Unknown, fault.to_string(), ""),
        }
    }

    /// Posts that should be out by now say that nobody runs the site's clockwork.
    async fn cron(&mut self) {
        if !self.has_time(CapabilityId::Cron) {
            return;
        }
        // Without its zone WordPress takes it for the site's own time.
        let before = (Utc::now() - LATE).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let query = [
            ("status", "future"),
            ("context", "edit"),
            ("before", before.as_str()),
            ("_fields", "id"),
            ("per_page", "1"),
        ];
        let late = match self.site.get("wp/v2/posts", &query).await {
            Ok(answer) => answer.json.as_array().is_some_and(|posts| !posts.is_empty()),
            Err(failure) => {
                let why = failure.into_fault("list its scheduled posts").to_string();
                return self.note(CapabilityId::Cron, Unknown, why, "");
            }
        };
        if late {
            let help = "Let the server call wp-cron.php every few minutes; without visitors WordPress does not publish by itself.";
            return self.note(CapabilityId::Cron, Warning, "a scheduled post is late", help);
        }
        self.note(CapabilityId::Cron, Fine, "no scheduled post is late", "");
    }

    async fn redirects(&mut self) {
        if !self.has_time(CapabilityId::Redirects) {
            return;
        }
        let home = self.site.client().look(self.site.client().site().clone()).await;
        match home {
            Ok(page) => {
                self.version = version_in(&page.text);
                self.note(CapabilityId::Redirects, Fine, "the site answers at its address itself", "");
            }
            Err(failure) => {
                let why = failure.into_fault("show its home page").to_string();
                let help = "If visitors get to another address, set that one here.";
                self.note(CapabilityId::Redirects, Warning, why, help);
            }
        }
    }

    fn ended(self, me: Option<Me>, failure: Option<String>) -> Probe {
        let root = self.site.known_root();
        let can_publish =
            self.found.iter().any(|seen| seen.id == CapabilityId::Publish && matches!(seen.status, Fine | Warning));
        let first_failure = || {
            let failed = self.found.iter().find(|seen| seen.id == CapabilityId::Publish && seen.status != Fine);
            failed.map(|seen| format!("{}. {}", seen.evidence, seen.help))
        };
        let message = match (failure, can_publish) {
            (Some(message), _) => message,
            (None, true) => "articles can be published".to_owned(),
            (None, false) => first_failure().unwrap_or_else(|| "articles cannot be published".to_owned()),
        };
        Probe {
            success: can_publish,
            message,
            site_name: root.and_then(|root| root.name.clone()),
            version: self.version,
            role: me.and_then(|me| me.roles.into_iter().next()),
            capabilities: self.found,
        }
    }
}

/// What a page says it was made by, e.g. `WordPress 6.9.7`.
fn version_in(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("content=\"WordPress ")?;
    let version: String = rest.chars().take(20).take_while(|c| *c != '"').collect();
    Some(version).filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

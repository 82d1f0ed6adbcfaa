//! What is in the database.

use anyhow::Context;
use sqlx::PgConnection;

use super::{Fault, SHOWN};

/// What must hold, and a query that must bring nothing: each row says what is wrong.
const CHECKS: [(&str, &str); 26] = [
    ("every task ended", "SELECT id || ' is ' || status FROM tasks WHERE status IN ('pending', 'processing')"),
    (
        "orders in quiet times complete",
        "SELECT id || ' is ' || status FROM tasks
         WHERE status <> 'completed' AND (input->'brief'->>'prompt') ~ ', (before|after)-[0-9]+$'",
    ),
    (
        "every ended task has one final event in its last run",
        "SELECT t.id || ' ' || t.status || ' has ' || count(e.seq) FROM tasks t LEFT JOIN events e ON e.task_id = t.id
            AND e.kind = 'task.' || t.status AND e.seq > coalesce((SELECT max(seq) FROM events r
                WHERE r.task_id = t.id AND r.kind = 'task.retried'), 0)
         WHERE t.status NOT IN ('pending', 'processing') GROUP BY t.id, t.status HAVING count(e.seq) <> 1",
    ),
    (
        "events are numbered without gaps",
        "SELECT t.id || ' counts ' || t.event_seq || ' and has ' || count(e.seq) || ' up to ' || coalesce(max(e.seq), 0)
         FROM tasks t LEFT JOIN events e ON e.task_id = t.id GROUP BY t.id, t.event_seq
         HAVING count(e.seq) <> t.event_seq OR coalesce(max(e.seq), 0) <> t.event_seq",
    ),
    (
        "no step ended twice",
        "SELECT task_id || ' ' || (data->>'step') || ' ' || (data->>'position') FROM events WHERE kind = 'step.completed'
         GROUP BY task_id, data->>'run', data->>'step', data->>'position' HAVING count(*) > 1",
    ),
    (
        "no step is open under an ended task",
        "SELECT s.id || ' ' || s.kind || ' is ' || s.state FROM steps s JOIN tasks t ON t.id = s.task_id
         WHERE s.state IN ('ready', 'delayed') AND t.status NOT IN ('pending', 'processing')",
    ),
    ("no lease is left", "SELECT id || ' ' || kind || ' of ' || worker FROM steps WHERE lease IS NOT NULL"),
    ("no step had more attempts than allowed", "SELECT id || ' ' || kind || ' ' || attempt FROM steps WHERE attempt > max_attempts"),
    (
        "attempts are counted",
        "SELECT id || ' ' || kind || ' began and counts ' || attempt FROM steps WHERE state IN ('done', 'failed') AND attempt < 1",
    ),
    (
        "an ended task waits for no part",
        "SELECT id || ' waits for ' || stages FROM tasks WHERE status NOT IN ('pending', 'processing') AND stages <> '{}'",
    ),
    ("no task is left paused", "SELECT id::text FROM tasks WHERE paused"),
    ("no step is left paused or waiting", "SELECT id || ' is ' || state FROM steps WHERE state IN ('paused', 'waiting')"),
    (
        "a completed task has a text",
        "SELECT t.id::text FROM tasks t LEFT JOIN articles a ON a.id = t.subject_id
         WHERE t.status = 'completed' AND (a.id IS NULL OR a.version = 0 OR a.content_markdown = '')",
    ),
    (
        "a text is written once for each seo step that ended",
        "SELECT a.id || ' is at ' || a.version || ' with ' || v.versions || ' versions and ' || s.ended || ' ends'
         FROM articles a, LATERAL (SELECT count(*) AS versions FROM article_versions v WHERE v.article_id = a.id) v,
            LATERAL (SELECT count(*) AS ended FROM steps s WHERE s.task_id = a.task_id AND s.kind = 'seo' AND s.state = 'done') s
         WHERE a.version <> s.ended OR v.versions <> s.ended",
    ),
    (
        "a cover is stored once for each image step that ended",
        "SELECT covers || ' covers, ' || ended || ' ends' FROM (SELECT count(*) AS covers FROM files WHERE name = 'cover.png') c,
            (SELECT count(*) AS ended FROM steps WHERE kind = 'image' AND state = 'done') s WHERE covers > ended",
    ),
    (
        "no article is left without its task or in the making",
        "SELECT a.id || ' is ' || a.status FROM articles a LEFT JOIN tasks t ON t.id = a.task_id AND t.subject_id = a.id
         WHERE t.id IS NULL OR (a.status = 'generating' AND t.status NOT IN ('pending', 'processing'))",
    ),
    (
        "a completed task is published",
        "SELECT t.id::text FROM tasks t WHERE t.kind = 'article' AND t.status = 'completed' AND NOT EXISTS (
            SELECT 1 FROM effects p JOIN articles a ON a.id = p.subject_id
            WHERE p.kind = 'publication' AND p.subject_id = t.subject_id AND p.key = a.version::text
                AND p.state = 'confirmed')",
    ),
    ("no credits are held", "SELECT id || ' holds ' || held FROM organizations WHERE held <> 0"),
    ("no hold is open", "SELECT task_id::text FROM holds WHERE state = 'open'"),
    (
        "balances are the sum of their ledger",
        "SELECT o.id || ' ' || o.balance FROM organizations o WHERE o.balance <>
            (SELECT coalesce(sum(amount), 0) FROM ledger_entries l WHERE l.org_id = o.id)",
    ),
    (
        "what was settled is what was charged",
        "SELECT t.id::text FROM tasks t WHERE (SELECT coalesce(sum(settled), 0) FROM holds h WHERE h.task_id = t.id)
            <> (SELECT coalesce(-sum(amount), 0) FROM ledger_entries l WHERE l.task_id = t.id AND l.kind = 'charge')",
    ),
    (
        "a run is charged when it completes, and only then",
        "SELECT t.id || ' ' || t.status FROM tasks t WHERE t.kind = 'article' AND t.status NOT IN ('pending', 'processing')
            AND (t.status = 'completed') <> EXISTS (
            SELECT 1 FROM holds h WHERE h.task_id = t.id AND h.run = t.run AND h.state = 'settled')",
    ),
    (
        "every completed run is charged once",
        "SELECT t.id::text FROM tasks t WHERE t.kind = 'article'
            AND (SELECT count(*) FROM ledger_entries l WHERE l.task_id = t.id AND l.kind = 'charge')
            <> (SELECT count(*) FROM events e WHERE e.task_id = t.id AND e.kind = 'task.completed')",
    ),
    (
        "no call to the blog is left in doubt",
        "SELECT kind || ' ' || key || ' of ' || subject_id || ' is ' || state FROM effects
         WHERE kind IN ('post', 'retraction') AND state IN ('sent', 'unknown')",
    ),
    (
        "no article waits for a publication",
        "SELECT id || ' waits for ' || publication_id FROM articles WHERE publication_id IS NOT NULL",
    ),
    (
        "no publication is open",
        "SELECT id || ' of ' || article_id || ' is ' || status FROM publications WHERE status IN ('pending', 'publishing')",
    ),
];

pub async fn look(connection: &mut PgConnection, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    for (check, sql) in CHECKS {
        let rows: Vec<(Option<String>,)> =
            sqlx::query_as(sql).fetch_all(&mut *connection).await.with_context(|| check.to_owned())?;
        faults.extend(rows.iter().take(SHOWN).map(|(row,)| Fault::new(check, row.as_deref().unwrap_or("?"))));
    }
    Ok(())
}

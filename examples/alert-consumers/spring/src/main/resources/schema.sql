-- SPDX-License-Identifier: MIT
CREATE TABLE IF NOT EXISTS seen_alert (ce_id uuid PRIMARY KEY, seen_at timestamptz NOT NULL DEFAULT now());

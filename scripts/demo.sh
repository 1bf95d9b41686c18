#!/usr/bin/env bash
# ./dev demo: plays what providers do against the running system, over the same HTTP calls, and shows what dochak makes of it: each
# status as Postgres has it, each alert as a read_committed reader of the topic gets it. Every run uses new ids. What does not show
# within 10 s is an error.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

PATIENCE=10 # seconds

# --- the system -----------------------------------------------------------------------------------------------------

is_ready() { curl -fs -o /dev/null --noproxy '*' -m 2 "$1/readyz"; }

need_system() {
    [[ -f $RUN/env ]] || die demo "nothing is up here" "Run ./dev up first."
    recall_settings # what the topics are called
    # shellcheck source=/dev/null
    source "$RUN/env"
    export PGHOST PGPORT PGUSER PGDATABASE
    [[ -v DOCHAK_WEBHOOK_BIZGO && -v DOCHAK_WEBHOOK_BLUX && -v DOCHAK_WEBHOOK_CHANNELTALK ]] ||
        die demo "the endpoints file (DOCHAK_ENDPOINTS_FILE) lacks endpoints that it calls" \
            "They are those of deploy/dev/endpoints.json: run ./dev up without DOCHAK_ENDPOINTS_FILE, or list them in yours."
    is_ready "$DOCHAK_INGRESS_OPS_URL" || die demo "ingress is not ready ($DOCHAK_INGRESS_OPS_URL/readyz)" "Run ./dev up again; ./dev logs ingress"
    is_ready "$DOCHAK_PROCESSOR_OPS_URL" || die demo "processor is not ready ($DOCHAK_PROCESSOR_OPS_URL/readyz)" "Run ./dev up again; ./dev logs processor"
}

# The alert topic from now on, one line an alert: headers, key, value.
follow_alerts() {
    SCRATCH=$(mktemp -d)
    kcat -C -q -u -b "$KAFKA_BOOTSTRAP" -X isolation.level=read_committed -t "$(alert_topic)" \
        -o "s@$(date +%s%3N)" -f '%h\t%k\t%s\n' >"$SCRATCH/alerts" 2>"$SCRATCH/kcat" &
    FOLLOWER=$!
    trap 'kill "$FOLLOWER" 2>/dev/null; rm -rf "$SCRATCH"' EXIT
}

# --- telling --------------------------------------------------------------------------------------------------------

# Padded by hand: printf counts bytes, and an arrow has three.
tell() { printf '     %s%*s%s\n' "$1" $((21 - ${#1})) '' "$2"; }

# Several fields a line, as many as fit.
tell_object() { # JSON
    local field line='' fields
    mapfile -t fields <<<"${1//, \"/,$'\n'\"}"
    for field in "${fields[@]}"; do
        if ((${#line} + ${#field} > 95)); then
            tell '' "$line"
            line=''
        fi
        line+="${line:+ }$field"
    done
    tell '' "$line"
}

chapter() { printf '\n%s. %s\n' "$1" "$2"; }

gave_up() { # WHAT-WAS-EXPECTED WHAT-IS-THERE
    printf '\n'
    die demo "after $PATIENCE s still not there: $1" "There is: ${2:-nothing}" \
        "./dev logs processor and ./dev logs ingress may say why."
}

# --- what apps and providers do -------------------------------------------------------------------------------------

# post WHO WHAT URL STATUS BODY [CURL-ARG…]
post() {
    local status answer
    status=$(curl -sS -m "$PATIENCE" --noproxy '*' -o "$SCRATCH/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
        --data-binary "$5" "${@:6}" "$3") || die demo "no answer from ${3%/*}/…" "./dev logs ingress"
    answer=$(<"$SCRATCH/answer")
    ((${#answer} <= 60)) || answer='' # says once more what WHAT says
    tell "$1" "$2  → $status${answer:+ $answer}"
    [[ $status == "$4" ]] || die demo "expected the answer $4, got $status" "./dev logs ingress"
    SENT_AT=${EPOCHREALTIME/./}
}

register() { # PROVIDER ID REFERENCE
    post 'app → dochak' "\"the send API answered A000 for $2\"" "$DOCHAK_INGRESS_URL/v1/notifications" 202 \
        "{\"provider\":\"$1\",\"response\":{\"code\":\"A000\",\"msgKey\":\"$2\"},\"recipient\":\"+821012345678\",\"reference\":\"$3\"}" \
        -H "Authorization: Bearer $DOCHAK_INGRESS_KEY"
}

bizgo_reports() { # ID SERVICE TYPE CODE TEXT
    post 'bizgo → dochak' "reportCode $4 ($2)" "$DOCHAK_WEBHOOK_BIZGO" 200 \
        "{\"msgKey\":\"$1\",\"serviceType\":\"$2\",\"msgType\":\"$3\",\"reportTime\":\"$(TZ=KST-9 date +%Y-%m-%dT%H:%M:%S.%3N)+09:00\",\"reportType\":\"0\",\"reportCode\":\"$4\",\"reportText\":\"$5\"}"
}

# Accepted ten minutes ago: its report has been due for five.
register_late() { # ID REFERENCE
    post 'app → dochak' "\"accepted ten minutes ago: $1\"" "$DOCHAK_INGRESS_URL/v1/notifications" 202 \
        "{\"provider\":\"blux\",\"notification_id\":\"$1\",\"accepted_at\":\"$(date -u -d '10 minutes ago' +%Y-%m-%dT%H:%M:%SZ)\",\"recipient\":\"+821012345678\",\"reference\":\"$2\"}" \
        -H "Authorization: Bearer $DOCHAK_INGRESS_KEY"
}

blux_event() { # ID STATUS MORE-FIELDS
    printf '{"event_type":"notification:sms:%s","payload":{"application_id":"65f1a2b3c4d5e6f7a8b9c0d1","blux_user_id":"65f1a2b3c4d5e6f7a8b9c0d2","user_id":"user_123","notification_id":"%s","phone_number":"01012345678","status":"%s","received_at":"%s"%s}}' \
        "$2" "$1" "$2" "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "$3"
}

channeltalk_says() { # EVENT MEMBER VERSION UNSUBSCRIBE-TEXTING
    post 'channeltalk → dochak' "$1, version $3, unsubscribeTexting $4" "$DOCHAK_WEBHOOK_CHANNELTALK" 200 \
        "{\"event\":\"$1\",\"type\":\"user\",\"entity\":{\"id\":\"user-of-$2\",\"type\":\"member\",\"memberId\":\"$2\",\"mobileNumber\":\"+821012345678\",\"email\":\"hana@example.com\",\"unsubscribeEmail\":false,\"unsubscribeTexting\":$4,\"version\":$3,\"updatedAt\":$((STARTED_MS + $3))}}"
}

declare -A WAS=() # id → the status last shown
ROW='' ALERT=''

# --- what must come of it -------------------------------------------------------------------------------------------

ask() { psql -XqtA -v ON_ERROR_STOP=1 -v provider="$1" -v id="$2" <<<"$3"; }

row() { # PROVIDER ID: status, then code and reason if there are any
    ask "$1" "$2" "SELECT concat_ws(' ', status, code, reason) FROM notification WHERE provider = :'provider' AND notification_id = :'id'"
}

row_is() { # PROVIDER ID PATTERN
    ROW=$(row "$1" "$2")
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $ROW == $3 ]]
}

status_becomes() { # PROVIDER ID PATTERN
    wait_until "$PATIENCE" row_is "$1" "$2" "$3" || gave_up "status $3 of $1 $2 in Postgres" "$ROW"
    tell status "${WAS[$2]:+${WAS[$2]} → }$ROW   ($(((${EPOCHREALTIME/./} - SENT_AT) / 1000)) ms later)"
    WAS[$2]=${ROW%% *}
}

contact_is() { # MEMBER PATTERN
    ROW=$(ask channeltalk "$1" "SELECT concat_ws(' ', CASE WHEN deleted THEN 'deleted' ELSE 'known' END, phone, email, consents) FROM contact WHERE provider = :'provider' AND contact_id = :'id'")
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $ROW == $2 ]]
}

contact_becomes() { # MEMBER PATTERN
    wait_until "$PATIENCE" contact_is "$1" "$2" || gave_up "$2 of $1 in table contact" "$ROW"
    tell contact "$ROW"
}

find_alert() { # ID TYPE
    ALERT=$(grep -F "ce_type=$2" "$SCRATCH/alerts" | grep -F "$1")
}

alert_comes() { # ID TYPE
    wait_until "$PATIENCE" find_alert "$1" "$2" || gave_up "alert $2 for $1 on the alert topic" "$(grep -F "$1" "$SCRATCH/alerts" "$SCRATCH/kcat" || true)"
    tell alert "$2"
    tell_object "${ALERT##*$'\t'}"
}

# --- the stories ----------------------------------------------------------------------------------------------------

takes_nothing demo "$@"
need_system
follow_alerts

run=$(date +%m%d%H%M%S)$RANDOM
arrived=demo-$run-1 refused=demo-$run-2 early=demo-$run-3 fallback=demo-$run-4 silent=demo-$run-5 member=demo-$run-6
STARTED_MS=$(date +%s%3N)
blux_ok=$(head -c 12 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
blux_bad=$(head -c 12 /dev/urandom | od -An -v -tx1 | tr -d ' \n')

chapter 1 'BizGo answers A000: "request accepted". One team took that for "delivered" for a month. It is not:'
register bizgo "$arrived" order-17
status_becomes bizgo "$arrived" 'PENDING*'
bizgo_reports "$arrived" ALIMTALK AT 10000 '성공'
status_becomes bizgo "$arrived" 'SENT*'

chapter 2 'That month again: A000, and then nobody may use the account (64008). Now somebody is told:'
register bizgo "$refused" order-18
status_becomes bizgo "$refused" 'PENDING*'
bizgo_reports "$refused" ALIMTALK AT 64008 '계정 사용 권한 없음'
status_becomes bizgo "$refused" 'DEAD_LETTER 64008*'
alert_comes "$refused" dochak.notification.dead_lettered.v1
# Its alert came with the first such report; in a second run it is open already.
open_incident() { [[ -n $(incident) ]]; }
incident() { ask bizgo '' "SELECT kind || ' since ' || to_char(since, 'HH24:MI:SS') || ', faults: ' || faults FROM incident WHERE provider = :'provider' AND closed_at IS NULL AND scope = 'account'"; }
wait_until "$PATIENCE" open_incident || gave_up "an open incident of bizgo's account" "$(incident)"
tell incident "$(incident)  (one alert for all of them: dochak.provider.failing.v1)"

chapter 3 'Blux reports two SMS in one call, one arrived and one did not; nobody had registered them:'
post 'blux → dochak' 'received, receive_failed' "$DOCHAK_WEBHOOK_BLUX" 200 \
    "{\"events\":[$(blux_event "$blux_ok" received ''),$(blux_event "$blux_bad" receive_failed ',"failed_reason":"수신 차단"')]}"
status_becomes blux "$blux_ok" 'SENT*'
status_becomes blux "$blux_bad" 'DEAD_LETTER*'
alert_comes "$blux_bad" dochak.notification.dead_lettered.v1

chapter 4 'The report overtakes the registration. It counts at once, and the registration is merged in:'
bizgo_reports "$early" ALIMTALK AT 10000 '성공'
status_becomes bizgo "$early" 'SENT*'
register bizgo "$early" order-19
is_merged() { [[ $(ask bizgo "$early" "SELECT status, reference FROM notification WHERE provider = :'provider' AND notification_id = :'id'") == 'SENT|order-19' ]]; }
wait_until "$PATIENCE" is_merged || gave_up "reference order-19 on bizgo $early" "$(row bizgo "$early")"
tell status 'SENT, now with reference order-19'

chapter 5 'The alimtalk fails (no KakaoTalk there), BizGo falls back to SMS under the same msgKey, and that arrives:'
register bizgo "$fallback" order-20
status_becomes bizgo "$fallback" 'PENDING*'
bizgo_reports "$fallback" ALIMTALK AT 64016 '카카오톡 미사용자'
status_becomes bizgo "$fallback" 'DEAD_LETTER 64016*'
alert_comes "$fallback" dochak.notification.dead_lettered.v1
bizgo_reports "$fallback" SMS SMS 10000 '성공'
status_becomes bizgo "$fallback" 'SENT*'
alert_comes "$fallback" dochak.notification.recovered.v1

chapter 6 'A message on which nobody reports at all. Silence makes noise, too:'
register_late "$silent" order-21
status_becomes blux "$silent" 'PENDING*'
alert_comes "$silent" dochak.notification.overdue.v1

chapter 7 'Channel Talk says what it knows of a member. She wants no more texts; what is older comes late; she is deleted:'
channeltalk_says upsert "$member" 1 false
contact_becomes "$member" 'known *"texting": true*'
channeltalk_says upsert "$member" 3 true
contact_becomes "$member" 'known *"texting": false*'
[[ $(value_of DOCHAK_CONSENT_ALERTS) == off ]] || alert_comes "$member" dochak.contact.consent_withdrawn.v1
channeltalk_says upsert "$member" 2 false
channeltalk_says delete "$member" 4 true
contact_becomes "$member" 'deleted {}'

printf '\nIn Postgres now:\n'
psql -Xq -P footer=off -v run="demo-$run-%" -v ok="$blux_ok" -v bad="$blux_bad" <<'SQL'
SELECT provider, notification_id, status, code, reason, reference FROM notification
 WHERE notification_id LIKE :'run' OR notification_id IN (:'ok', :'bad') ORDER BY first_seen_at
SQL
cat <<TEXT

Seen: PENDING → SENT, PENDING → DEAD_LETTER (64008) and its alert; a report before its
registration; a fallback that arrived after all, and the alert that says so; a message
without any report, and the alert about that; a member of Channel Talk whose consent and
deletion are known, whatever comes late. All read back from Postgres and Kafka, in $SECONDS s.
The dashboard shows the same: $DOCHAK_PROCESSOR_URL/ (its key is DOCHAK_API_KEY in .run/env)
TEXT

/* SPDX-License-Identifier: MIT
 * How an acked event gets into Postgres and, as an alert, to a read_committed reader: ingress with its spool, Kafka, and two workers of
 * the processor. Each worker may die, or be expelled by Kafka while it lives, at any step. README.md lists what each process is in the
 * code, what is left out, and why the numbers are large enough.
 *
 * Nothing flows back from the processor to ingress, and a worker may take fewer records than there are. So ingress comes to its end
 * first, and the processor starts on the log that it left: the same outcomes in far fewer states.
 */
#define MESSAGES 2
#define NOTIFICATIONS 2
#define PARTITIONS 2
#define WORKERS 2
#define ALERTS (NOTIFICATIONS * 2)
#define CALLS 2  /* a sender's with one message */
#define EVENTS 4 /* MESSAGES * CALLS; no two calls share a ce_id */

#ifndef LOG_MAX
#define LOG_MAX 3 /* a longer log is not followed into the processor */
#endif
#ifndef INGRESS_FAULTS
#define INGRESS_FAULTS 2
#endif
#ifndef PROCESSOR_FAULTS
#define PROCESSOR_FAULTS 3
#endif

/* Whatever goes wrong takes one of these; when none is left, all goes well. */
byte faults;
#define FAULT_OF_INGRESS faults < INGRESS_FAULTS -> faults++
#define FAULT_OF_PROCESSOR faults < PROCESSOR_FAULTS -> faults++

#ifdef LIVENESS
#define ALONE (_nr_pr == 2) /* the claim counts */
#else
#define ALONE (_nr_pr == 1)
#endif

hidden byte i, j, m, a; /* of a d_step, worth nothing behind it */

/* ================================================= ingress ================================================= */

bit acked[MESSAGES];   /* its sender was answered 2xx */
byte arrived[LOG_MAX]; /* the messages, as Kafka took them */
byte n_arrived;
bit in_kafka[MESSAGES];

/* A call's event in librdkafka. LEFT: it may still arrive, but its ticket was given up. */
mtype = { UNSENT, QUEUED, REPORTED, GIVEN_UP, LEFT };
mtype live[EVENTS];
/* And in the spool. PRODUCED: it waits for the drain's delivery report. */
mtype = { ABSENT, STORED, PRODUCED };
mtype row[EVENTS];

bit connected[MESSAGES]; /* ingress has not died since the call began */
byte senders;            /* not yet done */

#define IN_KAFKAS_HANDS(event) (live[event] == QUEUED || live[event] == LEFT)
#define UNDER_WAY(event) (IN_KAFKAS_HANDS(event) || row[event] != ABSENT)
#define INGRESS_RESTS (senders == 0 && !UNDER_WAY(0) && !UNDER_WAY(1) && !UNDER_WAY(2) && !UNDER_WAY(3))

inline append(event) {
    in_kafka[event / CALLS] = true;
    if
    :: n_arrived < LOG_MAX -> arrived[n_arrived] = event / CALLS; n_arrived++
    :: n_arrived >= LOG_MAX -> n_arrived = LOG_MAX + 1
    fi;
    printf("Kafka: takes message %d\n", event / CALLS)
}

proctype Sender(byte message) {
    byte call = 0;
#define EVENT (message * CALLS + call)
request:
    atomic {
        connected[message] = true;
        if /* publisher.c: publisher_publish() */
        :: live[EVENT] = QUEUED
        :: goto spool /* the breaker of its partition is open */
        fi
    };
    if
    :: live[EVENT] == REPORTED -> goto durable
    :: live[EVENT] == GIVEN_UP
    :: atomic { live[EVENT] == QUEUED && FAULT_OF_INGRESS; live[EVENT] = LEFT } /* not in time */
    :: !connected[message] -> goto refused
    fi;
spool:
    if
    :: atomic { connected[message] -> row[EVENT] = STORED; printf("spool: has message %d\n", message) }
    :: atomic { connected[message] && FAULT_OF_INGRESS; row[EVENT] = STORED; goto refused } /* too late */
    :: atomic { connected[message] && FAULT_OF_INGRESS; goto refused }
    :: !connected[message] -> goto refused
    fi;
durable:
    if
    :: atomic { connected[message] -> acked[message] = true; printf("ingress: acks message %d\n", message) }
    :: !connected[message] -> goto refused
    fi;
    if
    :: goto done
    :: atomic { call + 1 < CALLS && FAULT_OF_INGRESS; call++; goto request } /* it says the same again */
    fi;
refused:
    if
    :: atomic { call + 1 < CALLS -> call++; goto request }
    :: call + 1 == CALLS
    fi;
done:
    atomic { call = 0; connected[message] = false; senders-- }
}

/* librdkafka and the broker, for one live event. Without idempotence, an acknowledgement that is lost makes a second record. */
inline carry(event) {
    if
    :: live[event] == QUEUED -> append(event); live[event] = REPORTED
    :: live[event] == QUEUED && FAULT_OF_INGRESS; live[event] = GIVEN_UP
    :: live[event] == LEFT -> append(event); live[event] = UNSENT
    :: live[event] == LEFT -> live[event] = UNSENT; printf("Kafka: never gets message %d\n", event / CALLS)
    :: IN_KAFKAS_HANDS(event) && FAULT_OF_INGRESS; append(event)
    fi
}

proctype Producer() {
    do
    :: atomic { IN_KAFKAS_HANDS(0) -> carry(0) }
    :: atomic { IN_KAFKAS_HANDS(1) -> carry(1) }
    :: atomic { IN_KAFKAS_HANDS(2) -> carry(2) }
    :: atomic { IN_KAFKAS_HANDS(3) -> carry(3) }
    :: INGRESS_RESTS -> break
    od
}

/* drain.c, for one row. */
inline bring(event) {
    if
    :: row[event] == STORED -> append(event); row[event] = PRODUCED
    :: row[event] == PRODUCED -> row[event] = ABSENT; printf("spool: deletes message %d\n", event / CALLS)
    :: row[event] == PRODUCED && FAULT_OF_INGRESS; row[event] = STORED /* a bad report */
#ifdef MUTANT_ROW_DELETED_BEFORE_REPORT
    :: row[event] == STORED -> row[event] = ABSENT; live[event] = LEFT; printf("spool: deletes message %d\n", event / CALLS)
#endif
    fi
}

proctype Drain() {
    do
    :: atomic { row[0] != ABSENT -> bring(0) }
    :: atomic { row[1] != ABSENT -> bring(1) }
    :: atomic { row[2] != ABSENT -> bring(2) }
    :: atomic { row[3] != ABSENT -> bring(3) }
    :: INGRESS_RESTS -> break
    od
}

/* What is in memory is gone, what is on the wire may arrive, what is in the spool is there at the next start. */
proctype Crash() {
    do
    :: atomic {
        !INGRESS_RESTS && FAULT_OF_INGRESS;
        printf("ingress: dies\n");
        d_step {
            for (i : 0 .. MESSAGES - 1) { connected[i] = false }
            for (i : 0 .. EVENTS - 1) {
                if
                :: live[i] == QUEUED -> live[i] = LEFT
                :: live[i] == REPORTED || live[i] == GIVEN_UP -> live[i] = UNSENT
                :: else
                fi;
                if
                :: row[i] == PRODUCED -> row[i] = STORED
                :: else
                fi
            }
        }
    }
    :: INGRESS_RESTS -> break
    od
}

inline ingress_runs() {
    atomic {
        for (i : 0 .. EVENTS - 1) { live[i] = UNSENT; row[i] = ABSENT }
        senders = MESSAGES;
        run Sender(0); run Sender(1); run Producer(); run Drain(); run Crash()
    };
    ALONE;
    assert(!acked[0] || in_kafka[0]);
    assert(!acked[1] || in_kafka[1])
}

/* ================================================ processor ================================================ */

mtype = { ACCEPTED, REJECTED, DELIVERED, FAILED };
mtype says[MESSAGES];
byte about[MESSAGES];         /* the notification */
byte lives_in[NOTIFICATIONS]; /* the partition: its key decides, so one for all that is about it */
#define IS_RECEIPT(m) (says[m] == DELIVERED || says[m] == FAILED)

/* ---- Kafka ---- */

byte records[PARTITIONS * LOG_MAX]; /* dochak.events */
byte length[PARTITIONS];
#define RECORD(p, offset) records[(p) * LOG_MAX + (offset)]

byte committed[PARTITIONS]; /* the group's offsets */
byte reached[PARTITIONS];   /* before it the present owner has read; it may be further than the group's offset */
byte pending[PARTITIONS];   /* the worker, + 1, whose transaction holds an offset for it; a fetch waits for the end of that */
byte owner[PARTITIONS];     /* the worker, + 1 */
bit member[WORKERS];        /* of the group, in its present generation */
bit idle[WORKERS];          /* no batch in hand, so it hears of a rebalance */
bit rebalancing;

mtype = { NO_TRANSACTION, OPEN, FENCED };
mtype transaction[WORKERS];
byte told[ALERTS]; /* how often a read_committed reader got it */

/* ---- Postgres ---- */

mtype = { NONE, PENDING, SENT, DEAD_LETTER };
mtype status[NOTIFICATIONS];
bit merged[NOTIFICATIONS]; /* what the acceptance knows is in the row */
byte version[NOTIFICATIONS];
bit receipt[MESSAGES];
byte inserted_by[MESSAGES]; /* the worker, + 1, that has inserted it and not committed: others wait, as a unique index makes them */
bit alert[ALERTS];
byte source[ALERTS]; /* the offset; the partition is that of its notification */
bit marked[ALERTS];  /* as published */

#define DEAD_LETTERED(n) (2 * (n))
#define RECOVERED(n) (2 * (n) + 1)

/* ledger.c: rules[][]. `raised` is the alert, ALERTS for none. */
inline apply(message, to_status, to_merged, raised) {
    raised = ALERTS;
    if
    :: to_status == NONE && says[message] == ACCEPTED -> to_status = PENDING
    :: (to_status == NONE || to_status == PENDING) && (says[message] == REJECTED || says[message] == FAILED) ->
        to_status = DEAD_LETTER;
        raised = DEAD_LETTERED(about[message])
    :: to_status == DEAD_LETTER && says[message] == DELIVERED -> to_status = SENT; raised = RECOVERED(about[message])
    :: (to_status == NONE || to_status == PENDING) && says[message] == DELIVERED -> to_status = SENT
    :: else
    fi;
    to_merged = to_merged || !IS_RECEIPT(message)
}

/* ---- the group and the transaction coordinator ---- */

byte working; /* workers not yet done */

inline leave_group(worker) {
    member[worker] = false;
    for (i : 0 .. PARTITIONS - 1) { owner[i] = (owner[i] == worker + 1 -> 0 : owner[i]) };
    rebalancing = true
}

inline abort(worker, becomes) {
    for (i : 0 .. PARTITIONS - 1) { pending[i] = (pending[i] == worker + 1 -> 0 : pending[i]) };
    transaction[worker] = becomes
}

/* The worker is frozen, or cut off, for longer than the session timeout. It goes on with its batch, now or later. */
inline expel(worker) {
    printf("Kafka: expels worker %d from the group\n", worker);
    d_step { leave_group(worker) }
}

inline time_out(worker) {
    printf("Kafka: aborts the transaction of worker %d and fences it\n", worker);
    d_step { abort(worker, FENCED) }
}

#define LISTENS(worker) (!member[worker] || idle[worker])

proctype Coordinator() {
    do
    :: atomic { member[0] && FAULT_OF_PROCESSOR; expel(0) }
    :: atomic { member[1] && FAULT_OF_PROCESSOR; expel(1) }
    :: atomic { transaction[0] == OPEN && FAULT_OF_PROCESSOR; time_out(0) }
    :: atomic { transaction[1] == OPEN && FAULT_OF_PROCESSOR; time_out(1) }
    :: atomic {
        rebalancing && (member[0] || member[1]) && LISTENS(0) && LISTENS(1) ->
        rebalancing = false;
        reached[0] = 0;
        reached[1] = 0;
        if
        :: member[0] -> owner[0] = 1
        :: member[1] -> owner[0] = 2
        fi;
        if
        :: length[1] == 0
        :: length[1] > 0 && member[0] -> owner[1] = 1
        :: length[1] > 0 && member[1] -> owner[1] = 2
        fi;
        printf("Kafka: rebalances\n")
    }
    :: working == 0 -> break
    od
}

/* ---- a worker ---- */

#ifdef MUTANT_ZOMBIE_NOT_FENCED
#define MAY_COMMIT_OFFSETS true
#else
#define MAY_COMMIT_OFFSETS member[w]
#endif
#ifdef MUTANT_OFFSETS_READ_UNCOMMITTED
#define STABLE(p) true
#else
#define STABLE(p) (pending[p] == 0)
#endif

#define ALL_DONE (committed[0] == length[0] && committed[1] == length[1])
#define MINE(p) (owner[p] == w + 1 && STABLE(p))
#define START(p) (reached[p] > committed[p] -> reached[p] : committed[p])
#define CAN_READ(p) (MINE(p) && START(p) < length[p])
#define CAN_COMMIT(p) (MINE(p) && reached[p] > committed[p])
/* Only where there is something to mark: a step that changes nothing could be taken for ever. */
#define TO_MARK(a, p) (alert[a] && !marked[a] && lives_in[(a) / 2] == p && source[a] < committed[p])
#define CAN_MARK(p) (MINE(p) && (TO_MARK(0, p) || TO_MARK(1, p) || TO_MARK(2, p) || TO_MARK(3, p)))
#define BLOCKED_ON(m) (in_batch[m] && IS_RECEIPT(m) && inserted_by[m] != 0)
#define OTHERS_WROTE(n) (changed[n] && version[n] != version_read[n])

inline forget_rows() {
    for (i : 0 .. NOTIFICATIONS - 1) {
        version_read[i] = 0;
        status_new[i] = 0;
        merged_new[i] = 0;
        changed[i] = 0
    };
    for (i : 0 .. ALERTS - 1) {
        raised[i] = 0;
        raised_at[i] = 0
    };
    for (i : 0 .. MESSAGES - 1) {
        fresh[i] = 0;
        inserted_by[i] = (inserted_by[i] == w + 1 -> 0 : inserted_by[i])
    };
    skip
}

inline forget_batch() {
    for (i : 0 .. PARTITIONS - 1) {
        first[i] = 0;
        end[i] = 0;
        below[i] = 0
    };
    for (i : 0 .. MESSAGES - 1) { in_batch[i] = 0 };
    for (i : 0 .. ALERTS - 1) { out[i] = 0 };
    skip
}

/* It dies, or something fails: Postgres rolls back, the Kafka transaction stays open until Kafka or the next start ends it. */
inline fall() {
    printf("worker %d: falls, and starts over\n", w);
    d_step {
        if
        :: member[w] -> leave_group(w)
        :: else
        fi;
        forget_rows();
        forget_batch()
    }
}

inline take_batch() {
    d_step {
        for (i : 0 .. PARTITIONS - 1) {
            first[i] = (MINE(i) -> START(i) : 0);
            below[i] = (MINE(i) -> committed[i] : 0);
            for (j : 0 .. LOG_MAX - 1) {
                if
                :: first[i] <= j && j < end[i] -> in_batch[RECORD(i, j)] = true
                :: else
                fi
            }
        };
        idle[w] = false;
        printf("worker %d: takes %d..%d of partition 0, %d..%d of partition 1\n", w, first[0], end[0], first[1], end[1])
    }
}

/* store.c: insert_receipts(), on conflict do nothing */
inline insert_receipts() {
    for (i : 0 .. MESSAGES - 1) {
        fresh[i] = in_batch[i] && IS_RECEIPT(i) && !receipt[i];
        inserted_by[i] = (fresh[i] -> w + 1 : inserted_by[i])
    }
}

/* store.c: read_notifications() */
inline read_notifications() {
    for (i : 0 .. NOTIFICATIONS - 1) {
        version_read[i] = version[i];
        status_new[i] = status[i];
        merged_new[i] = merged[i]
    }
}

/* store.c: apply_all() */
inline apply_all() {
    for (i : 0 .. PARTITIONS - 1) {
        for (j : 0 .. LOG_MAX - 1) {
            m = RECORD(i, j);
            if
            :: first[i] <= j && j < end[i] && (!IS_RECEIPT(m) || fresh[m]) ->
                apply(m, status_new[about[m]], merged_new[about[m]], a);
                fresh[m] = false; /* the second in the same batch has no effect */
                if
                :: a < ALERTS -> raised[a] = true; raised_at[a] = j
                :: else
                fi
            :: else
            fi
        }
    };
    for (i : 0 .. NOTIFICATIONS - 1) { changed[i] = status_new[i] != status[i] || merged_new[i] != merged[i] };
    skip
}

/* alert_published.sql: what lies below a committed offset was published in the transaction that committed it. */
inline mark_below(p, offset) {
    for (i : 0 .. ALERTS - 1) {
        if
        :: alert[i] && !marked[i] && lives_in[i / 2] == p && source[i] < offset ->
            marked[i] = true;
            assert(told[i] == 1)
        :: else
        fi
    };
    skip
}

#ifdef MUTANT_MARKED_BEYOND_FIRST
#define MARKED_TO(p) end[p]
#else
#define MARKED_TO(p) below[p]
#endif

/* store.c: write_notifications(), insert_alerts(), mark_published(), COMMIT */
inline commit_rows() {
    d_step {
        for (i : 0 .. MESSAGES - 1) { receipt[i] = receipt[i] || inserted_by[i] == w + 1 };
        for (i : 0 .. NOTIFICATIONS - 1) {
            if
            :: changed[i] -> status[i] = status_new[i]; merged[i] = merged_new[i]; version[i]++
            :: else
            fi
        };
        for (i : 0 .. ALERTS - 1) {
            if
            :: raised[i] && !alert[i] -> alert[i] = true; source[i] = raised_at[i]
            :: else
            fi
        };
        for (j : 0 .. PARTITIONS - 1) {
            mark_below(j, MARKED_TO(j))
        };
        forget_rows();
        printf("worker %d: Postgres commits\n", w)
    }
}

/* alert_read.sql */
inline read_alerts() {
    d_step {
        for (i : 0 .. ALERTS - 1) {
            j = lives_in[i / 2];
            out[i] = alert[i] && !marked[i] && first[j] <= source[i] && source[i] < end[j]
        };
        printf("worker %d: has to tell %d%d%d%d\n", w, out[0], out[1], out[2], out[3])
    }
}

/* Kafka's own commit of a transaction: the alerts, and the offsets it holds. */
inline become_visible() {
    d_step {
        for (i : 0 .. PARTITIONS - 1) {
            if
            :: pending[i] == w + 1 -> committed[i] = end[i]; pending[i] = 0
            :: else
            fi
        };
        transaction[w] = NO_TRANSACTION;
        for (i : 0 .. ALERTS - 1) {
            told[i] = told[i] + out[i];
            assert(told[i] <= 1)
        };
        for (i : 0 .. NOTIFICATIONS - 1) { assert(told[DEAD_LETTERED(i)] >= told[RECOVERED(i)]) };
        printf("worker %d: Kafka commits, told so far %d%d%d%d\n", w, told[0], told[1], told[2], told[3])
    }
}

#ifdef MUTANT_ALERTS_PUT_OFF
#define MAY_PUT_OFF true
#else
#define MAY_PUT_OFF (!out[0] && !out[1] && !out[2] && !out[3])
#endif

/* worker.c: publish(). Without anything to publish, the offsets may be committed later, with those of the next batches. */
inline put_off() {
    d_step {
        for (i : 0 .. PARTITIONS - 1) { reached[i] = (owner[i] == w + 1 && end[i] > reached[i] -> end[i] : reached[i]) };
        forget_batch();
        idle[w] = true;
        printf("worker %d: commits its offsets later\n", w)
    }
}

proctype Worker(byte w) {
    byte first[PARTITIONS], end[PARTITIONS]; /* the batch: from first to before end; 0 of a partition that is not its own */
    byte below[PARTITIONS]; /* the group's offset when the batch was taken */
    bit in_batch[MESSAGES], fresh[MESSAGES];
    byte version_read[NOTIFICATIONS];
    mtype status_new[NOTIFICATIONS];
    bit merged_new[NOTIFICATIONS], changed[NOTIFICATIONS];
    bit raised[ALERTS], out[ALERTS];
    byte raised_at[ALERTS];

open: /* worker.c: open_all() */
    atomic {
        d_step { abort(w, NO_TRANSACTION) };
        rebalancing = rebalancing || !member[w];
        member[w] = true;
        idle[w] = true
    };

collect: /* worker.c: collect() */
    if
    :: atomic {
        CAN_READ(0) || CAN_READ(1) ->
        end[0] = (MINE(0) -> START(0) : 0);
        end[1] = (MINE(1) -> START(1) : 0);
        do
        :: CAN_READ(0) && end[0] < length[0] -> end[0]++
        :: CAN_READ(1) && end[1] < length[1] -> end[1]++
        :: (CAN_READ(0) && end[0] > START(0)) || (CAN_READ(1) && end[1] > START(1)) -> break
        od;
        take_batch()
    }
    :: atomic { /* worker.c: commit_reached() */
        CAN_COMMIT(0) || CAN_COMMIT(1) ->
        end[0] = (CAN_COMMIT(0) -> reached[0] : 0);
        end[1] = (CAN_COMMIT(1) -> reached[1] : 0);
        idle[w] = false;
        transaction[w] = OPEN;
        goto commit
    }
    :: atomic { CAN_MARK(0) -> d_step { mark_below(0, committed[0]) }; goto collect } /* worker.c: finish_idle() */
    :: atomic { CAN_MARK(1) -> d_step { mark_below(1, committed[1]) }; goto collect }
    :: !member[w] && !ALL_DONE -> goto open
    :: ALL_DONE -> goto done
    fi;

begin: /* store.c: transact() */
    if
    :: atomic { !BLOCKED_ON(0) && !BLOCKED_ON(1) -> d_step { insert_receipts(); read_notifications(); apply_all() } }
    :: atomic { FAULT_OF_PROCESSOR; fall(); goto open }
    fi;
    if
    :: atomic { OTHERS_WROTE(0) || OTHERS_WROTE(1) -> d_step { forget_rows() }; goto begin }
    :: atomic { !OTHERS_WROTE(0) && !OTHERS_WROTE(1) -> commit_rows() }
    :: atomic { !OTHERS_WROTE(0) && !OTHERS_WROTE(1) && FAULT_OF_PROCESSOR; commit_rows(); fall(); goto open } /* unknown to it */
    :: atomic { FAULT_OF_PROCESSOR; fall(); goto open }
    fi;

    atomic { /* worker.c: publish() */
        read_alerts();
        if
        :: MAY_PUT_OFF -> put_off(); goto collect
        :: transaction[w] = OPEN
        fi
    };
commit:
#ifdef MUTANT_OFFSETS_OUTSIDE_TRANSACTION
    if
    :: atomic { transaction[w] == OPEN -> become_visible() }
    :: atomic { transaction[w] == FENCED -> fall(); goto open }
    fi;
    if
    :: atomic {
        MAY_COMMIT_OFFSETS ->
        d_step { for (i : 0 .. PARTITIONS - 1) { committed[i] = (end[i] > committed[i] -> end[i] : committed[i]) } };
        printf("worker %d: commits its offsets\n", w)
    }
    :: atomic { !MAY_COMMIT_OFFSETS -> fall(); goto open }
    :: atomic { FAULT_OF_PROCESSOR; fall(); goto open }
    fi;
#else
    if /* outbox.c: send_offsets() */
    :: atomic {
        transaction[w] == OPEN && MAY_COMMIT_OFFSETS ->
        d_step { for (i : 0 .. PARTITIONS - 1) { pending[i] = (end[i] > committed[i] -> w + 1 : pending[i]) } };
        printf("worker %d: sends its offsets\n", w)
    }
    :: atomic { transaction[w] == FENCED || !MAY_COMMIT_OFFSETS -> fall(); goto open }
    :: atomic { FAULT_OF_PROCESSOR; fall(); goto open }
    fi;
    if /* outbox.c: commit() */
    :: atomic { transaction[w] == OPEN -> become_visible() }
    :: atomic { transaction[w] == OPEN && FAULT_OF_PROCESSOR; become_visible(); fall(); goto open } /* unknown to it */
    :: atomic { transaction[w] == FENCED -> fall(); goto open }
    :: atomic { FAULT_OF_PROCESSOR; fall(); goto open }
    fi;
#endif
    atomic {
        forget_batch();
        idle[w] = true;
        goto collect
    };

done:
    working--
}

inline choose_what_is_sent() {
    if
    :: d_step { says[0] = FAILED; says[1] = DELIVERED }            /* receipts that disagree */
    :: d_step { says[0] = REJECTED; says[1] = DELIVERED }          /* an alert without a receipt */
    :: d_step { says[0] = ACCEPTED; says[1] = FAILED }             /* a row without an alert */
    :: d_step { says[0] = FAILED; says[1] = FAILED; about[1] = 1 } /* two notifications in one partition */
    :: d_step { says[0] = FAILED; says[1] = FAILED; about[1] = 1; lives_in[1] = 1 }
    fi;
    printf("sender: message 0 is %e, message 1 is %e, about notifications 0 and %d\n", says[0], says[1], about[1])
}

/* The log as the processor finds it. What only ingress knew is forgotten, `acked` too: what is in Kafka includes it. */
inline hand_over() {
    d_step {
        for (i : 0 .. LOG_MAX - 1) {
            if
            :: i < n_arrived ->
                j = lives_in[about[arrived[i]]];
                RECORD(j, length[j]) = arrived[i];
                length[j]++
            :: else
            fi;
            arrived[i] = 0
        };
        for (i : 0 .. MESSAGES - 1) {
            in_kafka[i] = false;
            acked[i] = false
        };
        for (i : 0 .. EVENTS - 1) {
            live[i] = UNSENT;
            row[i] = ABSENT
        };
        n_arrived = 0;
        faults = 0
    }
}

inline processor_runs() {
    atomic {
        for (i : 0 .. NOTIFICATIONS - 1) { status[i] = NONE };
        for (i : 0 .. WORKERS - 1) {
            transaction[i] = NO_TRANSACTION;
            member[i] = true
        };
        owner[0] = 1; /* the workers are alike, so which of them begins is all the same */
        if
        :: length[1] == 0
        :: length[1] > 0 -> owner[1] = 1
        :: length[1] > 0 -> owner[1] = 2
        fi;
        working = WORKERS;
        run Worker(0); run Worker(1); run Coordinator()
    };
    ALONE
}

/* As if one worker that never fails had read the log, once. */
bit seen[MESSAGES], ideal_merged[NOTIFICATIONS], ideal_alert[ALERTS];
mtype ideal_status[NOTIFICATIONS];

inline read_ideally() {
    d_step {
        for (i : 0 .. NOTIFICATIONS - 1) { ideal_status[i] = NONE };
        for (i : 0 .. PARTITIONS - 1) {
            for (j : 0 .. LOG_MAX - 1) {
                m = RECORD(i, j);
                if
                :: j < length[i] && !seen[m] ->
                    seen[m] = true;
                    apply(m, ideal_status[about[m]], ideal_merged[about[m]], a);
                    if
                    :: a < ALERTS -> ideal_alert[a] = true
                    :: else
                    fi
                :: else
                fi
            }
        }
    }
}

/* Which status follows from what has arrived, in whatever order. */
#define SEEN(n, what) ((seen[0] && about[0] == n && says[0] == what) || (seen[1] && about[1] == n && says[1] == what))
#define ANY_FAILURE(n) (SEEN(n, FAILED) || SEEN(n, REJECTED))
#define RIGHT_STATUS(n) (SEEN(n, DELIVERED) -> SENT : (ANY_FAILURE(n) -> DEAD_LETTER : (SEEN(n, ACCEPTED) -> PENDING : NONE)))
#define IN_POSTGRES(m) (IS_RECEIPT(m) -> receipt[m] : merged[about[m]])

bit ended;

init {
    ingress_runs();
    if
    :: n_arrived > LOG_MAX -> goto over
    :: n_arrived <= LOG_MAX
    fi;
    choose_what_is_sent();
    hand_over();
    processor_runs();
    read_ideally();
    d_step {
        for (i : 0 .. MESSAGES - 1) { assert(!seen[i] || IN_POSTGRES(i)) };
        for (i : 0 .. NOTIFICATIONS - 1) { assert(status[i] == RIGHT_STATUS(i)) };
        for (i : 0 .. ALERTS - 1) { assert(told[i] == ideal_alert[i]) }
    };
over:
    ended = true
}

#ifdef LIVENESS
ltl it_ends { <> ended }
#endif

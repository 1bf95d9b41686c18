// SPDX-License-Identifier: MIT

// Shows each alert once. It may be killed at any moment: an alert that handle did not finish comes again.
//
//	KAFKA_BOOTSTRAP=localhost:9092 go run .
//
// What was seen is in STATE_FILE, one ce_id a line.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// handle is what you do with an alert. If it fails, the program ends, and the alert comes again at the next start.
func handle(kind string, alert []byte) error {
	_, err := fmt.Println(kind, string(alert))
	return err
}

func main() {
	log.Fatal(run(context.Background()))
}

func run(ctx context.Context) error {
	seen, err := openSeen(env("STATE_FILE", "seen.txt"))
	if err != nil {
		return err
	}
	group := env("GROUP_ID", "on-call-go")
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(env("KAFKA_BOOTSTRAP", "localhost:9092"), ",")...),
		kgo.ConsumeTopics(env("ALERTS_TOPIC", "dochak.alerts")),
		kgo.ConsumerGroup(group),
		kgo.InstanceID(group), // one instance, which the group knows again at once after a crash
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, record := range fetches.Records() {
			if err := take(seen, record); err != nil {
				return err
			}
			if err := client.CommitRecords(ctx, record); err != nil {
				return err
			}
		}
	}
}

func take(seen *seen, record *kgo.Record) error {
	id := header(record, "ce_id")
	if seen.ids[id] {
		return nil
	}
	if err := handle(header(record, "ce_type"), record.Value); err != nil {
		return err
	}
	return seen.add(id)
}

// seen is the set of alerts that are done, in memory and in a file.
type seen struct {
	ids  map[string]bool
	file *os.File
}

func openSeen(name string) (*seen, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &seen{ids: map[string]bool{}, file: file}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		s.ids[lines.Text()] = true
	}
	return s, lines.Err()
}

func (s *seen) add(id string) error {
	s.ids[id] = true
	if _, err := fmt.Fprintln(s.file, id); err != nil {
		return err
	}
	return s.file.Sync()
}

func header(record *kgo.Record, name string) string {
	for _, header := range record.Headers {
		if header.Key == name {
			return string(header.Value)
		}
	}
	return ""
}

func env(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}

// SPDX-License-Identifier: MIT

// A webhook receiver in Go: net/http and franz-go, answering when Kafka has acknowledged the record.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	bodyMaxBytes = 512 << 10
	deadline     = 5 * time.Second // the provider's
)

type report struct {
	MsgKey string `json:"msgKey"`
}

func receive(client *kgo.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMaxBytes))
		if err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		var received report
		if err := json.Unmarshal(body, &received); err != nil || received.MsgKey == "" {
			http.Error(w, "msgKey", http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), deadline)
		defer cancel()
		record := &kgo.Record{Key: []byte(received.MsgKey), Value: body}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			http.Error(w, "kafka", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(received)
	}
}

func main() {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("KAFKA_BOOTSTRAP")),
		kgo.DefaultProduceTopic(os.Getenv("TOPIC")),
		kgo.RequiredAcks(kgo.AllISRAcks()),
	)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /webhook/bizgo", receive(client))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

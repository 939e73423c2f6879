// franz-go and sarama behind the contract of ../README.md. Started as `clients CLIENT VERB BOOTSTRAP`.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// Text is base64 in JSON, or null where there is none.
type Text struct{ bytes []byte }

func (text Text) MarshalJSON() ([]byte, error) {
	if text.bytes == nil {
		return []byte("null"), nil
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(text.bytes))
}

func (text *Text) UnmarshalJSON(shown []byte) error {
	var encoded *string
	if err := json.Unmarshal(shown, &encoded); err != nil || encoded == nil {
		return err
	}
	bytes, err := base64.StdEncoding.DecodeString(*encoded)
	text.bytes = bytes
	return err
}

// Header is [name, value].
type Header struct {
	name  string
	value Text
}

func (header Header) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{header.name, header.value})
}

func (header *Header) UnmarshalJSON(shown []byte) error {
	return json.Unmarshal(shown, &[]any{&header.name, &header.value})
}

type Record struct {
	Offset    int64    `json:"offset"`
	Timestamp *int64   `json:"timestamp"`
	Key       Text     `json:"key"`
	Value     Text     `json:"value"`
	Headers   []Header `json:"headers"`
}

// time is the zero time where the client shall choose.
func (record Record) time() time.Time {
	if record.Timestamp == nil {
		return time.Time{}
	}
	return time.UnixMilli(*record.Timestamp)
}

type Job struct {
	Topic       string   `json:"topic"`
	Codec       string   `json:"codec"`
	Idempotence bool     `json:"idempotence"`
	Records     []Record `json:"records"`
	Count       int      `json:"count"`
}

type Client struct {
	module string
	write  func(bootstrap string, job Job) (offsets []int64, err error)
	// All topics at once. What was found before an error counts.
	read func(bootstrap string, jobs []Job) (records map[string][]Record, err error)
}

const writeSeconds, readSeconds = 30, 60

var clients = map[string]Client{
	"franz-go": {"github.com/twmb/franz-go", franzWrite, franzRead},
	"sarama":   {"github.com/IBM/sarama", saramaWrite, saramaRead},
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "of unknown version"
}

func jobs() (all []Job, err error) {
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	for decoder.More() {
		var job Job
		if err = decoder.Decode(&job); err != nil {
			return
		}
		all = append(all, job)
	}
	return
}

func main() {
	client, verb, bootstrap := clients[os.Args[1]], os.Args[2], os.Args[3]
	if verb == "version" {
		fmt.Println(os.Args[1], version(client.module))
		return
	}
	all, err := jobs()
	if err != nil {
		panic(err)
	}
	answers := json.NewEncoder(os.Stdout)
	if verb == "write" {
		for _, job := range all {
			answer := map[string]any{"topic": job.Topic}
			if offsets, err := client.write(bootstrap, job); err != nil {
				answer["error"] = err.Error()
			} else {
				answer["offsets"] = offsets
			}
			answers.Encode(answer)
		}
		return
	}
	records, err := client.read(bootstrap, all)
	for _, job := range all {
		answer := map[string]any{"topic": job.Topic, "records": records[job.Topic]}
		if len(records[job.Topic]) < job.Count {
			answer = map[string]any{"topic": job.Topic, "error": fmt.Sprintf("%d records of %d; %v", len(records[job.Topic]), job.Count, err)}
		}
		answers.Encode(answer)
	}
}

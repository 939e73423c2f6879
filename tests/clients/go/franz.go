package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var franzCodecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
	"zstd": kgo.ZstdCompression(),
}

func franzWrite(bootstrap string, job Job) (offsets []int64, err error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(franzCodecs[job.Codec]), kgo.ProducerBatchMaxBytes(4 << 20), kgo.AllowAutoTopicCreation(),
		kgo.ProducerLinger(20 * time.Millisecond), kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if !job.Idempotence {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, record := range job.Records {
		sent := &kgo.Record{Topic: job.Topic, Key: record.Key.bytes, Value: record.Value.bytes, Timestamp: record.time()}
		for _, header := range record.Headers {
			sent.Headers = append(sent.Headers, kgo.RecordHeader{Key: header.name, Value: header.value.bytes})
		}
		records = append(records, sent)
	}
	// Its own RecordDeliveryTimeout counts from the record's timestamp, which may be long ago.
	deadline, stop := context.WithTimeout(context.Background(), writeSeconds*time.Second)
	defer stop()
	if err := client.ProduceSync(deadline, records...).FirstErr(); err != nil {
		return nil, err
	}
	for _, record := range records {
		offsets = append(offsets, record.Offset)
	}
	return offsets, nil
}

func franzRead(bootstrap string, jobs []Job) (map[string][]Record, error) {
	partitions := map[string]map[int32]kgo.Offset{}
	left := 0
	for _, job := range jobs {
		partitions[job.Topic] = map[int32]kgo.Offset{0: kgo.NewOffset().AtStart()}
		left += job.Count
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(partitions), kgo.FetchMaxPartitionBytes(4<<20))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	deadline, stop := context.WithTimeout(context.Background(), readSeconds*time.Second)
	defer stop()
	found := map[string][]Record{}
	for left > 0 && deadline.Err() == nil {
		fetches := client.PollFetches(deadline)
		fetches.EachError(func(_ string, _ int32, problem error) { err = errors.Join(err, problem) })
		fetches.EachRecord(func(record *kgo.Record) {
			timestamp := record.Timestamp.UnixMilli()
			shown := Record{Offset: record.Offset, Timestamp: &timestamp, Key: Text{record.Key}, Value: Text{record.Value}, Headers: []Header{}}
			for _, header := range record.Headers {
				shown.Headers = append(shown.Headers, Header{header.Key, Text{header.Value}})
			}
			found[record.Topic] = append(found[record.Topic], shown)
			left--
		})
	}
	return found, err
}

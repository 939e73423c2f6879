package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"
)

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	return config
}

// Encoded is nil, and not an encoder of nothing, where there is no key or value.
func encoded(text Text) sarama.Encoder {
	if text.bytes == nil {
		return nil
	}
	return sarama.ByteEncoder(text.bytes)
}

func saramaWrite(bootstrap string, job Job) (offsets []int64, err error) {
	config := saramaConfig()
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.MaxMessageBytes = 4 << 20
	config.Producer.Flush.Frequency = 20 * time.Millisecond
	if err := config.Producer.Compression.UnmarshalText([]byte(job.Codec)); err != nil {
		return nil, err
	}
	if job.Idempotence {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	var messages []*sarama.ProducerMessage
	for _, record := range job.Records {
		message := &sarama.ProducerMessage{Topic: job.Topic, Key: encoded(record.Key), Value: encoded(record.Value), Timestamp: record.time()}
		for _, header := range record.Headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.name), Value: header.value.bytes})
		}
		messages = append(messages, message)
	}
	if err := producer.SendMessages(messages); err != nil {
		return nil, err
	}
	for _, message := range messages {
		offsets = append(offsets, message.Offset)
	}
	return offsets, nil
}

func saramaRead(bootstrap string, jobs []Job) (map[string][]Record, error) {
	consumer, err := sarama.NewConsumer([]string{bootstrap}, saramaConfig())
	if err != nil {
		return nil, err
	}
	// All are fetched at once; each has a channel of its own, which holds more than the records of a topic.
	var partitions []sarama.PartitionConsumer
	for _, job := range jobs {
		partition, err := consumer.ConsumePartition(job.Topic, 0, sarama.OffsetOldest)
		if err != nil {
			return nil, err
		}
		defer partition.AsyncClose()
		partitions = append(partitions, partition)
	}
	found := map[string][]Record{}
	deadline, stop := context.WithTimeout(context.Background(), readSeconds*time.Second)
	defer stop()
	for i, job := range jobs {
		for range job.Count {
			message := nextSarama(deadline, partitions[i])
			if message == nil {
				break
			}
			found[job.Topic] = append(found[job.Topic], shownSarama(message))
		}
	}
	return found, deadline.Err()
}

// Prefers a message that is there to a deadline that is over.
func nextSarama(deadline context.Context, partition sarama.PartitionConsumer) *sarama.ConsumerMessage {
	select {
	case message := <-partition.Messages():
		return message
	default:
	}
	select {
	case message := <-partition.Messages():
		return message
	case <-deadline.Done():
		return nil
	}
}

func shownSarama(message *sarama.ConsumerMessage) Record {
	timestamp := message.Timestamp.UnixMilli()
	shown := Record{Offset: message.Offset, Timestamp: &timestamp, Key: Text{message.Key}, Value: Text{message.Value}, Headers: []Header{}}
	for _, header := range message.Headers {
		shown.Headers = append(shown.Headers, Header{string(header.Key), Text{header.Value}})
	}
	return shown
}

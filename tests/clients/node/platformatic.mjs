// @platformatic/kafka. Its streams work in groups only; what is read here goes through its consumer's own fetch, beneath them.

export default async function open(load, bootstrap) {
  const { Consumer, FetchIsolationLevels, ProduceAcks, Producer, UnsupportedCompressionError } = await load('@platformatic/kafka')
  const common = { clientId: 'matrix', bootstrapBrokers: [bootstrap], retryDelay: 100 }
  const consumer = new Consumer({ ...common, groupId: 'unused' })

  // zstd is Node.js' own, which has it since version 22.15.
  const cannot = problem => problem instanceof UnsupportedCompressionError

  async function write({ topic, codec, idempotence, records }) {
    const producer = new Producer({ ...common, autocreateTopics: true })
    try {
      const { offsets: [{ offset }] } = await producer.send({
        acks: ProduceAcks.ALL,
        compression: codec,
        idempotent: idempotence,
        messages: records.map(({ key, value, headers, timestamp }) => ({
          topic, partition: 0, key, value, headers: new Map(headers.map(([name, value]) => [Buffer.from(name), value])),
          ...timestamp === null ? {} : { timestamp: BigInt(timestamp) }
        }))
      })
      return records.map((_, index) => Number(offset) + index)
    } finally {
      await producer.close()
    }
  }

  async function read({ topic, count }) {
    const metadata = await consumer.metadata({ topics: [topic] })
    const { id: topicId, partitions: [{ leader: node }] } = metadata.topics.get(topic)
    const found = []
    while (found.length < count) {
      const fetchOffset = found.length ? found.at(-1).offset + 1n : 0n
      const { responses } = await consumer.fetch({
        node,
        maxWaitTime: 2000,
        isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED,
        topics: [{ topicId, partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, partitionMaxBytes: 4 << 20 }] }]
      })
      const more = responses[0].partitions[0].records
        .flatMap(batch => batch.records.map(record => ({
          ...record, offset: batch.firstOffset + BigInt(record.offsetDelta), timestamp: batch.firstTimestamp + record.timestampDelta
        })))
        .filter(({ offset }) => offset >= fetchOffset)
      if (!more.length) throw new Error(`${found.length} records of ${count}`)
      found.push(...more)
    }
    return found
  }

  return { module: '@platformatic/kafka', write, read, cannot, close: async () => consumer.close() }
}

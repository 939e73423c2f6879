// kafkajs. Its headers are an object: equal names come together. Its consumer works in groups only; what is read here goes
// through the cluster and the broker beneath it, with the same decoders.

export default async function open(load, bootstrap) {
  const { default: { Kafka, CompressionTypes, CompressionCodecs, logLevel } } = await load('kafkajs')
  const { default: snappy } = await load('kafkajs-snappy')
  const { default: lz4 } = await load('lz4-napi')
  const zstd = await (await load('@hpcc-js/wasm-zstd')).Zstd.load()
  CompressionCodecs[CompressionTypes.Snappy] = snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: encoder => lz4.compressFrame(encoder.buffer),
    decompress: buffer => lz4.decompressFrame(buffer)
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async encoder => Buffer.from(zstd.compress(encoder.buffer)),
    decompress: async buffer => Buffer.from(zstd.decompress(buffer))
  })
  const codecs = {
    none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4,
    zstd: CompressionTypes.ZSTD
  }
  const kafka = new Kafka({ clientId: 'matrix', brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50 } })
  let cluster

  function grouped(headers) {
    const all = {}
    for (const [name, value] of headers) (all[name] ??= []).push(value)
    return all
  }

  async function write({ topic, codec, idempotence, records }) {
    const producer = kafka.producer({ createPartitioner: () => () => 0, idempotent: idempotence })
    await producer.connect()
    try {
      const [{ baseOffset }] = await producer.send({
        topic,
        acks: -1,
        compression: codecs[codec],
        messages: records.map(({ key, value, headers, timestamp }) => ({
          key, value, headers: grouped(headers), ...timestamp === null ? {} : { timestamp: String(timestamp) }
        }))
      })
      return records.map((_, index) => Number(baseOffset) + index)
    } finally {
      await producer.disconnect()
    }
  }

  async function read({ topic, count }) {
    if (!cluster) {
      const create = Object.getOwnPropertySymbols(kafka).find(symbol => symbol.description === 'private:Kafka:createCluster')
      cluster = kafka[create]({})
      await cluster.connect()
    }
    await cluster.addTargetTopic(topic)
    await cluster.refreshMetadataIfNecessary()
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [0]))
    const broker = await cluster.findBroker({ nodeId })
    const found = []
    while (found.length < count) {
      const fetchOffset = found.length ? String(BigInt(found.at(-1).offset) + 1n) : '0'
      const { responses } = await broker.fetch({
        maxWaitTime: 2000, isolationLevel: 0, topics: [{ topic, partitions: [{ partition: 0, fetchOffset, maxBytes: 4 << 20 }] }]
      })
      const more = responses[0].partitions[0].messages.filter(({ offset }) => BigInt(offset) >= BigInt(fetchOffset))
      if (!more.length) throw new Error(`${found.length} records of ${count}`)
      found.push(...more)
    }
    return found.map(record => ({ ...record, headers: Object.entries(record.headers).flatMap(([name, value]) => [value].flat().map(one => [name, one])) }))
  }

  return { module: 'kafkajs', write, read, close: async () => cluster?.disconnect() }
}

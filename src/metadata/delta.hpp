#pragma once

// How records become images. A Delta is the next image under construction; an Applier feeds it from batches, with
// Kafka's metadata transactions, and gives what is committed. Records come from a log or a snapshot: what does not fit is
// a reason not to start, told in a sentence, since skipping a record would fork the state.

#include "metadata/image.hpp"
#include "wire/arena.hpp"

#include <rafka/record_batch.hpp>
#include <rafka/result.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rafka::metadata {

// The feature levels that records may be written for (Kafka's MetadataVersion).
inline constexpr int16_t metadata_version_oldest = 7;   // 3.3-IV3
inline constexpr int16_t metadata_version_newest = 30;  // 4.3-IV0

class Delta {
public:
    explicit Delta(const Image& base);
    Delta(const Delta&) = delete;
    Delta& operator=(const Delta&) = delete;

    // One framed record, as a batch carries it. On failure problem() says what is wrong, and the delta is of no more use.
    Result<> apply(Bytes record);
    const std::string& problem() const { return problem_; }

    // Ends the construction.
    Result<ImagePtr> finish(Offset offset, LeaderEpoch epoch, Timestamp time, Changes& changes);

private:
    struct OpenTopic {
        std::shared_ptr<Topic> topic;  // The one in the image; nobody else sees it yet.
        bool created = false;
        size_t partitions_before = 0;
        std::set<int32_t> altered;
    };

    template <class R>
    Result<> read_and_replay(Bytes fields, int16_t version);
    template <class R>
    Result<> replay(const R& record);  // One for each record type, in delta.cpp.

    Result<> refuse(std::string problem);
    OpenTopic* open_topic(const Uuid& id);
    Result<> change_broker(int32_t id, int64_t epoch, std::shared_ptr<Broker>& out);
    uint64_t edit() const { return next_->generation; }

    std::shared_ptr<Image> next_;
    std::map<Uuid, OpenTopic> open_topics_;
    std::vector<Uuid> created_;  // In the order of their records.
    std::set<std::pair<ResourceType, std::string>> configs_;
    Changes changes_;
    wire::Arena arena_;
    std::string problem_;
};

// Batches of the metadata log, or of a snapshot, to images.
class Applier {
public:
    explicit Applier(ImagePtr image) : image_(std::move(image)) {}

    // A batch that is not a control batch, whole and checked.
    Result<> apply(BatchView batch);
    const std::string& problem() const { return problem_; }

    // After a snapshot: where in the log that is.
    Result<> place(Offset offset, LeaderEpoch epoch);

    // Within a transaction nothing of it is in the image yet.
    bool in_transaction() const { return in_transaction_; }
    const ImagePtr& image() const { return image_; }

    // One image and what led to it. Within a run of batches there is one, and one more for each transaction.
    struct Update {
        ImagePtr image;
        Changes changes;
    };
    // What was committed since the last take, in order.
    Result<std::vector<Update>> take();

private:
    Result<> record(Bytes value, Offset offset);
    Result<> publish();
    Result<> refuse(Offset offset, std::string_view problem);

    ImagePtr image_;
    std::unique_ptr<Delta> delta_;  // Null: nothing to publish.
    Offset offset_ = no_offset;     // Of the last record or batch that was applied.
    LeaderEpoch epoch_ = -1;
    Timestamp time_ = no_timestamp;
    std::vector<Update> updates_;
    bool in_transaction_ = false;
    std::string problem_;
};

}  // namespace rafka::metadata

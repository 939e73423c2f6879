#include "broker/fetch_session.hpp"

#include "base/assert.hpp"

namespace rafka::broker {

namespace {
constexpr int16_t session_id_not_found = 70;
constexpr int16_t invalid_session_epoch = 71;
constexpr int16_t session_topic_id_error = 106;
}  // namespace

bool FetchSession::answer(const FetchTarget& target, const FetchOutcome& outcome) {
    auto found = places_.find(Key{target.topic_id, target.topic, target.partition});
    if (found == places_.end()) return false;
    auto place = found->second;
    bool named = outcome.records_size > 0 || outcome.diverging || outcome.preferred_replica;
    if (place->high_watermark != outcome.high_watermark) {
        named = true;
        place->high_watermark = outcome.high_watermark;
    }
    if (place->log_start_offset != outcome.log_start_offset) {
        named = true;
        place->log_start_offset = outcome.log_start_offset;
    }
    if (outcome.error != 0 || outcome.diverging) {
        // When the error is gone the partition must be named again, whatever its watermark.
        named = true;
        place->high_watermark = -1;
    }
    if (outcome.records_size > 0) partitions_.splice(partitions_.end(), partitions_, place);
    return named;
}

void FetchSession::put(const FetchTarget& target, const FetchWish& wish) {
    auto found = places_.find(Key{target.topic_id, target.topic, target.partition});
    if (found != places_.end()) {
        found->second->wish = wish;
        return;
    }
    auto place = partitions_.insert(partitions_.end(), Partition{});
    place->topic_id = target.topic_id;
    place->topic = target.topic;
    place->partition = target.partition;
    place->wish = wish;
    places_.emplace(Key{place->topic_id, place->topic, place->partition}, place);
}

void FetchSession::forget(const FetchTarget& target) {
    auto found = places_.find(Key{target.topic_id, target.topic, target.partition});
    if (found == places_.end()) return;
    auto place = found->second;
    places_.erase(found);
    partitions_.erase(place);
}

FetchSession* FetchSessions::open(bool privileged, bool by_id, size_t size, Instant now, uint64_t (*random)(void*),
                                  void* context) {
    if (size > partitions_max) return nullptr;
    while (partition_count_ + size > partitions_max) {
        if (!make_room(privileged, size, now)) return nullptr;
    }
    if (sessions_.size() >= sessions_max_ && !make_room(privileged, size, now)) return nullptr;
    int32_t id = 0;
    do id = int32_t(random(context) & 0x7fffffff);
    while (id == 0 || sessions_.contains(id));
    auto& session = sessions_[id];
    session.id_ = id;
    session.by_id_ = by_id;
    session.privileged_ = privileged;
    session.created_ = now;
    touch(session, now);
    return &session;
}

void FetchSessions::add(FetchSession& session, const FetchTarget& target, const FetchWish& wish,
                        const FetchOutcome& outcome) {
    session.put(target, wish);
    auto& partition = *session.places_.at(FetchSession::Key{target.topic_id, target.topic, target.partition});
    partition.high_watermark = outcome.high_watermark;
    partition.log_start_offset = outcome.log_start_offset;
}

void FetchSessions::close(int32_t id) {
    auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    unlink(found->second);
    partition_count_ -= found->second.size_noted_;
    sessions_.erase(found);
}

FetchSession* FetchSessions::find(int32_t id) {
    auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second;
}

FetchSessions::Begun FetchSessions::begin(int32_t id, int32_t epoch, bool by_id, std::span<const Change> changes,
                                          std::span<const FetchTarget> forgotten, Instant now) {
    auto* session = find(id);
    if (!session) return {session_id_not_found, nullptr};
    if (session->by_id_ != by_id) return {session_topic_id_error, nullptr};
    if (session->epoch_ != epoch) return {invalid_session_epoch, nullptr};
    if (partition_count_ + changes.size() > partitions_max) {
        close(id);
        return {session_id_not_found, nullptr};
    }
    for (auto& change : changes) session->put(change.target, change.wish);
    for (auto& target : forgotten) session->forget(target);
    if (session->partitions_.empty()) {
        close(id);
        return {};
    }
    session->epoch_ = next_fetch_epoch(epoch);
    touch(*session, now);
    return {0, session};
}

void FetchSessions::touch(FetchSession& session, Instant now) {
    unlink(session);
    session.used_ = now;
    partition_count_ += session.partitions_.size() - session.size_noted_;
    session.size_noted_ = session.partitions_.size();
    bool settled = now - session.created_ > eviction_;
    by_use_.emplace(now, session.id_);
    Value value{session.privileged_, session.size_noted_, session.id_};
    if (!session.privileged_ || settled) evictable_by_privileged_.insert(value);
    if (settled) evictable_by_all_.insert(value);
}

void FetchSessions::unlink(FetchSession& session) {
    by_use_.erase({session.used_, session.id_});
    Value value{session.privileged_, session.size_noted_, session.id_};
    evictable_by_privileged_.erase(value);
    evictable_by_all_.erase(value);
}

bool FetchSessions::make_room(bool privileged, size_t size, Instant now) {
    if (by_use_.empty()) return false;
    auto [used, id] = *by_use_.begin();
    if (now - used > eviction_) {
        close(id);
        return true;
    }
    auto& candidates = privileged ? evictable_by_privileged_ : evictable_by_all_;
    if (candidates.empty() || Value{privileged, size, 0} < *candidates.begin()) return false;
    close(std::get<2>(*candidates.begin()));
    return true;
}

}  // namespace rafka::broker

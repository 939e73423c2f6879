// OffsetForLeaderEpoch.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

void leader_epochs(Script& s) {
    using Topic = OffsetForLeaderEpochRequest::Topic;
    using Asked = OffsetForLeaderEpochRequest::Partition;
    s.topic("leader_epochs-a", 2);
    s.append("leader_epochs-a", 0, s.batch({{"a"}, {"b"}, {"c"}}));
    auto ask = [&](std::string_view label, std::string_view topic, Asked asked, int16_t version = 4) {
        s.ask(label, OffsetForLeaderEpochRequest{.replica_id = -1, .topics = s.list<Topic>({{topic, s.list<Asked>({asked})}})}, version);
    };
    for (int32_t epoch : {0, 1, 5, -1, -2, INT32_MAX}) {
        for (int16_t version : {2, 3, 4}) ask("epoch " + std::to_string(epoch), "leader_epochs-a", {0, -1, epoch}, version);
        ask("epoch " + std::to_string(epoch) + ", empty", "leader_epochs-a", {1, -1, epoch});
    }
    for (int32_t epoch : {0, 1, -2}) {
        for (int16_t version : {2, 4}) ask("current epoch " + std::to_string(epoch), "leader_epochs-a", {0, epoch, 0}, version);
    }
    for (int16_t version : {2, 4}) {
        ask("unknown topic", "leader_epochs-none", {0, -1, 0}, version);
        ask("unknown partition", "leader_epochs-a", {2, -1, 0}, version);
        ask("negative partition", "leader_epochs-a", {-1, -1, 0}, version);
    }
    ask("bad topic", "leader epochs", {0, -1, 0});
    OffsetForLeaderEpochRequest many{.replica_id = -1, .topics = s.list<Topic>({{"leader_epochs-none", s.list<Asked>({{0, -1, 0}})}, {"leader_epochs-a", s.list<Asked>({{1, -1, 0}, {0, -1, 0}, {4, -1, 0}, {0, -1, 0}})}})};
    s.ask("several", many, 4);
    s.ask("nothing", OffsetForLeaderEpochRequest{.replica_id = -1}, 4);
    many.replica_id = -2;
    s.ask("debugging replica", many, 3);
}

}  // namespace rafka::semantics

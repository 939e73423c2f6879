#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/create_partitions.hpp"

#include <map>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::ErrorCode;
using rafka::metadata::MorePartitions;

MorePartitions more_partitions(const CreatePartitionsRequest::Topic& asked) {
    MorePartitions more;
    more.name = asked.name;
    more.count = asked.count;
    if (asked.assignments) {
        more.assignments.emplace();
        for (auto& assignment : *asked.assignments) {
            more.assignments->emplace_back(assignment.broker_ids.begin(), assignment.broker_ids.end());
        }
    }
    return more;
}

}  // namespace

Task<Result<>> create_partitions(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<CreatePartitionsRequest>(request));
    auto& broker = shard.broker;
    std::map<std::string_view, size_t> times;
    for (auto& topic : message.topics) ++times[topic.name];

    std::vector<std::string_view> names;
    std::vector<MorePartitions> topics;
    for (auto& topic : message.topics) {
        if (times[topic.name] > 1) continue;
        names.push_back(topic.name);
        topics.push_back(more_partitions(topic));
    }
    std::vector<rafka::metadata::Answer> results;
    if (!topics.empty()) {
        results = co_await call_on(broker.home(), broker.controller().create_partitions(std::move(topics), message.validate_only));
    }

    wire::ArrayBuilder<CreatePartitionsResponse::Topic> answers(request.arena);
    for (auto& [name, count] : times) {
        if (count > 1) answers.push({name, ErrorCode::invalid_request, "Duplicate topic name."});
    }
    for (size_t i = 0; i < results.size(); ++i) {
        auto& added = answers.push({names[i], ErrorCode(results[i].error), std::nullopt});
        if (!results[i].message.empty()) added.error_message = request.arena.copy(results[i].message);
    }
    CreatePartitionsResponse response;
    response.results = answers.take();
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers

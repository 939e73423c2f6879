#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/topics.hpp"
#include "protocol/messages/describe_cluster.hpp"

#include <algorithm>

namespace rafka::broker::handlers {

namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using protocol::ErrorCode;

constexpr int8_t brokers_type = 1;
constexpr int8_t controllers_type = 2;

void refuse(DescribeClusterResponse& response, Request& request, ErrorCode error, std::string message) {
    response.error_code = request.version() == 0 ? ErrorCode::invalid_request : error;
    response.error_message = request.arena.copy(message);
    answer(request, response);
}

}  // namespace

Result<> describe_cluster(Shard& shard, Request& request) {
    TRY(auto message, parse<DescribeClusterRequest>(request));
    DescribeClusterResponse response;
    if (message.endpoint_type == controllers_type) {
        refuse(response, request, ErrorCode::mismatched_endpoint_type,
               "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER");
        return {};
    }
    if (message.endpoint_type != brokers_type) {
        refuse(response, request, ErrorCode::unsupported_endpoint_type, "Unsupported endpoint type " + std::to_string(message.endpoint_type));
        return {};
    }
    auto& image = *shard.image;
    auto brokers = request.arena.make<DescribeClusterResponse::Broker>(image.brokers.size());
    size_t count = 0;
    for (auto& node : image.brokers) {
        auto* endpoint = node.endpoint(request.client->listener);
        if (!endpoint || (node.fenced && !message.include_fenced_brokers)) continue;
        auto& broker = brokers[count++];
        broker.broker_id = node.id;
        broker.host = endpoint->host;
        broker.port = endpoint->port;
        if (node.rack) broker.rack = *node.rack;
        broker.is_fenced = node.fenced;
    }
    response.brokers = brokers.first(count);
    response.cluster_id = shard.broker.cluster_id();
    response.controller_id = any_alive_broker(image);
    if (message.include_cluster_authorized_operations) response.cluster_authorized_operations = cluster_operations;
    answer(request, response);
    return {};
}

}  // namespace rafka::broker::handlers

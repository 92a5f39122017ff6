// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "waxwing/base/json_strict.hpp"
#include "waxwing/gateway/engine.hpp"

namespace waxwing::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBody = std::size_t{128} << 20U;
constexpr std::size_t kMaxEcho = 400;  // bytes of the question that an answer repeats
constexpr std::size_t kMaxTokens = 512;
// The engine has no clock: everything it says follows from what it was asked.
constexpr std::int64_t kCreated = 1767225600;
constexpr std::chrono::minutes kTake{1};
constexpr std::string_view kLabel = "This is the built-in engine of waxwing-gateway, not a language model. ";

/// Bounds of request bodies: larger than documents of our own, since prompts may be long.
constexpr Limits kRequestLimits{kMaxBody, 128, 1U << 20U, 0, 0};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find(' ', at);
    end = end == std::string_view::npos ? text.size() : end + 1;
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

/// Cuts at a character's border.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}

/// A message's text: a string, or the text parts of a list.
std::string text_of(const json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  for (const json& part : content) {
    if (part.is_object() && part.contains("text") && part["text"].is_string()) text += part["text"].get<std::string>();
  }
  return text;
}

/// A member that is a text, or "".
std::string text_member(const json& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

struct Question {
  std::string last_user;
  std::size_t prompt_words = 0;
  bool stream = false;
  bool include_usage = false;
  std::size_t max_tokens = kMaxTokens;
  const json* tool = nullptr;  // the "function" object of the tool to call
};

std::size_t max_tokens_of(const json& body) {
  for (const char* name : {"max_completion_tokens", "max_tokens"}) {
    const auto found = body.find(name);
    if (found != body.end() && found->is_number_unsigned()) {
      return std::clamp<std::size_t>(found->get<std::size_t>(), 1, kMaxTokens);
    }
  }
  return kMaxTokens;
}

void read_stream_options(const json& body, Question& question) {
  const auto stream = body.find("stream");
  question.stream = stream != body.end() && stream->is_boolean() && stream->get<bool>();
  const auto options = body.find("stream_options");
  if (options == body.end() || !options->is_object()) return;
  const auto usage = options->find("include_usage");
  question.include_usage = usage != options->end() && usage->is_boolean() && usage->get<bool>();
}

/// The tool that the request asks for: by tool_choice, or because the last message names it.
const json* wanted_tool(const json& body, const std::string& last_user) {
  const auto tools = body.find("tools");
  if (tools == body.end() || !tools->is_array()) return nullptr;
  const auto choice = body.find("tool_choice");
  const bool none = choice != body.end() && *choice == "none";
  const bool required = choice != body.end() && *choice == "required";
  std::string named;
  if (choice != body.end() && choice->is_object() && choice->contains("function")) {
    named = text_member((*choice)["function"], "name");
  }
  for (const json& tool : *tools) {
    if (none || !tool.is_object() || !tool.contains("function") || !tool["function"].is_object()) continue;
    const json& function = tool["function"];
    const std::string name = text_member(function, "name");
    if (name.empty()) continue;
    const bool asked = last_user.find(name) != std::string::npos;
    if (required || (named.empty() ? asked : named == name)) return &function;
  }
  return nullptr;
}

std::optional<Question> read_chat(const json& body) {
  const auto messages = body.find("messages");
  if (messages == body.end() || !messages->is_array() || messages->empty()) return std::nullopt;
  Question question;
  bool tool_answered = false;
  for (const json& message : *messages) {
    if (!message.is_object() || !message.contains("role")) return std::nullopt;
    const std::string text = message.contains("content") ? text_of(message["content"]) : std::string();
    question.prompt_words += words_of(text).size();
    if (message["role"] == "user") question.last_user = text;
    tool_answered = message["role"] == "tool";
  }
  read_stream_options(body, question);
  question.max_tokens = max_tokens_of(body);
  if (!tool_answered) question.tool = wanted_tool(body, question.last_user);
  return question;
}

std::optional<Question> read_completion(const json& body) {
  const auto prompt = body.find("prompt");
  if (prompt == body.end() || !prompt->is_string()) return std::nullopt;
  Question question;
  question.last_user = prompt->get<std::string>();
  question.prompt_words = words_of(question.last_user).size();
  read_stream_options(body, question);
  question.max_tokens = max_tokens_of(body);
  return question;
}

struct Answer {
  std::vector<std::string> words;
  bool cut = false;
};

Answer answer_to(const Question& question) {
  Answer answer;
  std::string text(kLabel);
  text += "You wrote: ";
  text += cut(question.last_user, kMaxEcho);
  answer.words = words_of(text);
  answer.cut = answer.words.size() > question.max_tokens;
  if (answer.cut) answer.words.resize(question.max_tokens);
  return answer;
}

/// A value of the type that a parameter's schema names.
json example_of(const json& schema) {
  const bool has_choices = schema.is_object() && schema.contains("enum") && schema["enum"].is_array();
  if (has_choices && !schema["enum"].empty()) return schema["enum"].front();
  const std::string type = text_member(schema, "type");
  if (type == "integer" || type == "number") return 1;
  if (type == "boolean") return true;
  if (type == "array") return json::array();
  if (type == "object") return json::object();
  return kBuiltinModel;
}

/// One value for each required parameter.
json arguments_for(const json& function) {
  json arguments = json::object();
  const json::json_pointer required("/parameters/required");
  const json::json_pointer properties("/parameters/properties");
  if (!function.contains(required) || !function[required].is_array() || !function.contains(properties))
    return arguments;
  for (const json& name : function[required]) {
    if (!name.is_string()) continue;
    const auto& key = name.get_ref<const std::string&>();
    const auto schema = function[properties].find(key);
    arguments[key] = example_of(schema != function[properties].end() ? *schema : json());
  }
  return arguments;
}

json usage_of(std::size_t prompt, std::size_t completion) {
  return {{"prompt_tokens", prompt}, {"completion_tokens", completion}, {"total_tokens", prompt + completion}};
}

enum class Api : std::uint8_t { chat, completion };

/// The shapes of one API, whole and in chunks.
class Shape {
 public:
  explicit Shape(Api api) : api_(api) {}

  [[nodiscard]] json envelope(std::string_view chat_object, std::string_view completion_object) const {
    const bool chat = api_ == Api::chat;
    return {{"id", chat ? "chatcmpl-builtin" : "cmpl-builtin"},
            {"object", chat ? chat_object : completion_object},
            {"created", kCreated},
            {"model", kBuiltinModel}};
  }
  [[nodiscard]] json whole(json message_or_text, std::string_view finish, json usage) const {
    json body = envelope("chat.completion", "text_completion");
    json choice = {{"index", 0}, {"finish_reason", finish}, {"logprobs", nullptr}};
    choice[api_ == Api::chat ? "message" : "text"] = std::move(message_or_text);
    body["choices"] = json::array({std::move(choice)});
    body["usage"] = std::move(usage);
    return body;
  }
  [[nodiscard]] json chunk(json delta_or_text, json finish) const {
    json body = envelope("chat.completion.chunk", "text_completion");
    json choice = {{"index", 0}, {"finish_reason", std::move(finish)}, {"logprobs", nullptr}};
    choice[api_ == Api::chat ? "delta" : "text"] = std::move(delta_or_text);
    body["choices"] = json::array({std::move(choice)});
    return body;
  }
  [[nodiscard]] json usage_chunk(json usage) const {
    json body = envelope("chat.completion.chunk", "text_completion");
    body["choices"] = json::array();
    body["usage"] = std::move(usage);
    return body;
  }
  [[nodiscard]] json piece(const std::string& word) const {
    return api_ == Api::chat ? chunk({{"content", word}}, nullptr) : chunk(word, nullptr);
  }
  [[nodiscard]] json last(std::string_view finish) const {
    return chunk(api_ == Api::chat ? json::object() : json(""), finish);
  }
  [[nodiscard]] bool is_chat() const { return api_ == Api::chat; }

 private:
  Api api_;
};

std::string event(const json& data) {
  return "data: " + data.dump() + "\n\n";
}

json tool_call_of(const json& function) {
  return {{"id", "call_builtin"},
          {"type", "function"},
          {"function", {{"name", function["name"]}, {"arguments", arguments_for(function).dump()}}}};
}

json model_entry() {
  return {{"id", kBuiltinModel}, {"object", "model"}, {"created", kCreated}, {"owned_by", "waxwing"}};
}

net::Task<> respond_json(net::ServerConnection& connection, int status, json body) {
  const std::string text = body.dump();
  co_return co_await connection.respond(status, {{"content-type", "application/json"}}, as_bytes(text),
                                        net::Deadline::within(kTake));
}

net::Task<> respond_error(net::ServerConnection& connection, int status, std::string message) {
  co_return co_await respond_json(connection, status,
                                  {{"error",
                                    {{"message", std::move(message)},
                                     {"type", status == 404 ? "not_found_error" : "invalid_request_error"},
                                     {"param", nullptr},
                                     {"code", nullptr}}}});
}

/// Sends events, each as soon as it is there, and waits where the other side does not take them.
class EventStream {
 public:
  explicit EventStream(net::ServerConnection& connection) : connection_(connection) {}
  net::Task<> begin() {
    WAXWING_CO_ASSIGN(const net::Sent sent,
                      connection_.start({.status = 200, .fields = {{"content-type", "text/event-stream"}}},
                                        net::BodyLength::chunked()));
    co_return co_await settle(sent);
  }
  net::Task<> send(std::string text) {
    WAXWING_CO_ASSIGN(const net::Sent sent, connection_.send({as_bytes(text)}));
    co_return co_await settle(sent);
  }
  net::Task<> end() {
    WAXWING_CO_TRY(co_await send("data: [DONE]\n\n"));
    WAXWING_CO_TRY(connection_.finish());
    co_return co_await connection_.flush(net::Deadline::within(kTake));
  }

 private:
  net::Task<> settle(net::Sent sent) {
    if (sent == net::Sent::blocked) co_return co_await connection_.flush(net::Deadline::within(kTake));
    co_return Result<void>();
  }
  net::ServerConnection& connection_;
};

net::Task<> stream_answer(net::ServerConnection& connection, Shape shape, const Question& question) {
  EventStream events(connection);
  WAXWING_CO_TRY(co_await events.begin());
  std::size_t completion_words = 1;
  std::string_view finish = "stop";
  if (shape.is_chat()) {
    WAXWING_CO_TRY(co_await events.send(event(shape.chunk({{"role", "assistant"}, {"content", ""}}, nullptr))));
  }
  if (question.tool != nullptr) {
    json call = tool_call_of(*question.tool);
    call["index"] = 0;
    WAXWING_CO_TRY(co_await events.send(event(shape.chunk({{"tool_calls", json::array({call})}}, nullptr))));
    finish = "tool_calls";
  } else {
    const Answer answer = answer_to(question);
    completion_words = answer.words.size();
    for (const std::string& word : answer.words) WAXWING_CO_TRY(co_await events.send(event(shape.piece(word))));
    if (answer.cut) finish = "length";
  }
  WAXWING_CO_TRY(co_await events.send(event(shape.last(finish))));
  if (question.include_usage) {
    WAXWING_CO_TRY(co_await events.send(event(shape.usage_chunk(usage_of(question.prompt_words, completion_words)))));
  }
  co_return co_await events.end();
}

json whole_answer(Shape shape, const Question& question) {
  if (question.tool != nullptr) {
    json message = {
        {"role", "assistant"}, {"content", nullptr}, {"tool_calls", json::array({tool_call_of(*question.tool)})}};
    return shape.whole(std::move(message), "tool_calls", usage_of(question.prompt_words, 1));
  }
  const Answer answer = answer_to(question);
  std::string text;
  for (const std::string& word : answer.words) text += word;
  json content = shape.is_chat() ? json{{"role", "assistant"}, {"content", text}} : json(text);
  return shape.whole(std::move(content), answer.cut ? "length" : "stop",
                     usage_of(question.prompt_words, answer.words.size()));
}

net::Task<> generate(net::ServerConnection& connection, Api api) {
  WAXWING_CO_ASSIGN(const Bytes body, co_await connection.read_whole_body(kMaxBody, net::Deadline::within(kTake)));
  const auto request = parse_json_strict(as_text(body), kRequestLimits);
  if (!request || !request->is_object()) {
    co_return co_await respond_error(connection, 400, "the body is not a JSON object");
  }
  const auto model = request->find("model");
  if (model != request->end() && *model != kBuiltinModel) {
    co_return co_await respond_error(connection, 404, "the only model here is " + std::string(kBuiltinModel));
  }
  const auto question = api == Api::chat ? read_chat(*request) : read_completion(*request);
  if (!question) {
    co_return co_await respond_error(
        connection, 400, api == Api::chat ? "messages must be a list of messages" : "prompt must be a text");
  }
  const Shape shape(api);
  if (question->stream) co_return co_await stream_answer(connection, shape, *question);
  co_return co_await respond_json(connection, 200, whole_answer(shape, *question));
}

}  // namespace

net::Task<> BuiltinEngine::handle(net::ServerConnection& connection) {
  const net::RequestHead& head = connection.request();
  const std::string_view path = head.path();
  if (head.method == "POST" && path == "/v1/chat/completions") co_return co_await generate(connection, Api::chat);
  if (head.method == "POST" && path == "/v1/completions") co_return co_await generate(connection, Api::completion);
  if (head.method == "GET" && path == "/v1/models") {
    co_return co_await respond_json(connection, 200, {{"object", "list"}, {"data", json::array({model_entry()})}});
  }
  if (head.method == "GET" && path == "/v1/models/" + std::string(kBuiltinModel)) {
    co_return co_await respond_json(connection, 200, model_entry());
  }
  co_return co_await respond_error(connection, 404, "the built-in engine does not serve this");
}

}  // namespace waxwing::gateway

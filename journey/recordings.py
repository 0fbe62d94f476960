"""Recordings made for the tests, with every kind of text that a pipe may spoil."""
import json
import random

PIECES = ["plain words ", "naïve ", "日本語", "العربية ", "🙂👩‍🚀", "e\u0301", "\u200f", "line\nbreak\n", "tab\t", "\\u0041 ",
          '"quoted" ', "{\"a\": [1, 2.50, 1e400]} ", "$where a.b ", "<script>alert(1)</script> ", "\u0000", "  "]


def conversation(name, seed, turns=6):
    chosen = random.Random(seed)

    def text(most=12):
        return "".join(chosen.choice(PIECES) for _ in range(chosen.randint(1, most)))

    messages = [{"role": "user", "content": text()}]
    for turn in range(turns):
        if chosen.random() < 0.5:
            # Real agents use an id again now and then.
            call = f"call_{chosen.randint(0, 3)}"
            messages.append({"role": "assistant", "content": text() if chosen.random() < 0.3 else None, "tool_calls": [
                {"id": call, "type": "function", "function": {"name": f"tool_{turn}", "arguments": text()}}]})
            messages.append({"role": "tool", "tool_call_id": call, "name": f"tool_{turn}", "content": text(40)})
        else:
            messages.append({"role": "assistant", "content": text(30)})
    return {"conversation_id": name, "messages": messages}


def write(path, conversations):
    path.write_text("".join(json.dumps(each) + "\n" for each in conversations), encoding="utf-8")
    return path


def expected(conversation):
    """(messages, calls) that a reader must see: [(role, text)], [(name, arguments, result)], in order."""
    roles = {"user": "ROLE_HUMAN", "assistant": "ROLE_AI", "system": "ROLE_SYSTEM"}
    said, calls, waiting = [], [], {}
    for message in conversation["messages"]:
        if message["role"] == "tool":
            calls[waiting[message["tool_call_id"]].pop(0)][2] = message["content"]
            continue
        if message.get("content") or not message.get("tool_calls"):
            said.append((roles[message["role"]], message.get("content") or ""))
        for call in message.get("tool_calls") or []:
            waiting.setdefault(call["id"], []).append(len(calls))
            calls.append([call["function"]["name"], call["function"]["arguments"], ""])
    return said, [tuple(call) for call in calls]


def seen(entries):
    """The same two lists out of the entries that the HTTP door gives."""
    said = [(entry["message"]["role"], entry["message"].get("text", "")) for entry in entries if "message" in entry]
    calls = [(entry["toolCall"]["name"], entry["toolCall"].get("arguments", ""), entry["toolCall"].get("result", ""))
             for entry in entries if "toolCall" in entry]
    return said, calls

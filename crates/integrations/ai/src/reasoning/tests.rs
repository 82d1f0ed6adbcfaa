use super::*;

const THOUGHT: &str = "First I plan the section. The user wants a calm tone.";
const TEXT: &str = "The beds stand on the terraces.";

#[test]
fn reasoning_goes_under_any_mark() {
    for form in [
        "<think>@</think>$",
        "<think>\n@\n</think>\n\n$",
        "<thinking>@</thinking>\n\n$",
        "<Thinking>@</Thinking>$",
        "<THINK>@</THINK>$",
        "<think duration=\"3\">@</think >$",
        "< think >@< /think >$",
        "<think>@<think>@</think>@</think>$",
        "@</think>$",
        "@\n</thinking>\n\n$",
        "<think>@</thinking>$",
        "<think></think>$",
        "<think/>$",
        "<thought>@</thought>$",
        "<reasoning>@</reasoning>$",
        "<analysis>@</analysis>$",
        "<reflection>@</reflection>$",
        "<scratchpad>@</scratchpad>$",
        "<inner_monologue>@</inner_monologue>$",
        "<chain-of-thought>@</chain-of-thought>$",
        "<antThinking>@</antThinking>$",
        "<seed:think>@</seed:think>$",
        "&lt;think&gt;@&lt;/think&gt;$",
        "＜think＞@＜/think＞$",
        "◁think▷@◁/think▷$",
        "[THINK]@[/THINK]$",
        "[THINK]@\n\n@[/THINK]\n\n$",
        "@[/THINK]$",
        "[thinking]@[/thinking]$",
        "[[think]]@[[/think]]$",
        "【think】@【/think】$",
        "(thinking)@(/thinking)$",
        "{thinking}@{/thinking}$",
        "*thinking*@*/thinking*$",
        "<|begin_of_thought|>@<|end_of_thought|><|begin_of_solution|>$<|end_of_solution|>",
        "<|START_THINKING|>@<|END_THINKING|><|START_RESPONSE|>$<|END_RESPONSE|>",
        "<|think|>@<|/think|>$",
        "<｜think｜>@<｜/think｜>$",
        "<|channel>thought\n@<channel|>$",
        "<unused94>thought\n@<unused95>$",
        "<details type=\"reasoning\" done=\"true\">\n<summary>Thought for 3 seconds</summary>\n> @\n</details>\n$",
        "<!-- @ -->$",
        "$<think>@</think>",
        "$\n\n<think>@",
        "<|channel|>analysis<|message|>@<|end|><|start|>assistant<|channel|>final<|message|>$",
        "<|channel|>analysis<|message|>@<|end|><|start|>assistant<|channel|>final<|message|>$<|return|>",
        "@<|end|><|start|>assistant<|channel|>final<|message|>$",
        "<|channel|>commentary to=x <|constrain|>json<|message|>{}<|call|><|channel|>final<|message|>$<|end|>",
        "<|Channel|>analysis<|Message|>@<|End|><|Channel|>final<|Message|>$",
        "<|channel|>analysis\n@<|channel|>final\n$",
        "<|start|>assistant<|message|>$<|end|>",
        "analysis@assistantfinal$",
        "<|im_start|>assistant\n$<|im_end|>\n<|im_start|>user\n@",
        "$</s>@",
        "$<|eot_id|>",
        "<think>@</think><answer>$</answer>",
        "@\n<answer>\n$\n</answer>",
        "```thinking\n@\n```\n$",
        "**Thinking:**\n\n@\n\n**Answer:**\n\n$",
        "### Reasoning\n@\n### Final Answer\n$",
        "Thinking...\n@\n...done thinking.\n\n$",
        "Thought: @\nFinal Answer: $",
        "Reasoning: @\n\nAnswer:\n\n$",
        "**Analysis:** @\n\n**Final answer**\n\n$",
        "> *Thinking…*\n> @\n\n$",
        "[INST] @ [/INST] $",
        "<<SYS>>@<</SYS>>\n[INST]@[/INST]\n$ [INST] @",
        "Thinking Process:\n\n1. @\n\n**Final text:** $",
    ] {
        let answer = form.replace('@', THOUGHT).replace('$', TEXT);
        assert_eq!(without_reasoning(&answer), TEXT, "{form}");
    }
}

#[test]
fn nothing_but_reasoning_is_nothing() {
    for form in [
        "<think>@",
        "<Thinking>\n@\n</Thinking>",
        "[THINK]@",
        "<|channel|>analysis<|message|>@",
        "<|channel|>analysis<|message|>@<|end|>",
        "Thinking Process:\n\n1. @",
        "<|im_end|>",
    ] {
        assert_eq!(without_reasoning(&form.replace('@', THOUGHT)), "", "{form}");
    }
}

#[test]
fn prose_and_markup_that_only_look_like_marks_stay() {
    for text in [
        "Where a < b, List<order is> and <em> stay.",
        "Put the steps into a `<think>` tag and close it with `</think>`.",
        "The plan (analysis) took a year, [think] of that {plan}.",
        "*Thinking* is hard, and *thought* is free.",
        "[1] Some think that (thinking) helps.",
        "Analysis\n\nThe beds stand on the terraces.",
        "Reasoning: the wind dries the beans.",
        "Analysis: the wind dries the beans.\nThe answer is simple.",
        "> The beds are thinking ground.\n\nThe wind dries them.",
        "The price is <s>12</s> 10 euros.",
        "The final answer: nobody knows.",
        "Use <details> for what few people read.",
        "A channel | message <| pipe |> operator.",
    ] {
        assert_eq!(without_reasoning(text), text);
    }
}

#[test]
fn the_work_grows_with_the_answer_and_no_faster() {
    let took = |pattern: &str, count: usize| {
        let text = pattern.repeat(count);
        let started = std::time::Instant::now();
        without_reasoning(&text);
        started.elapsed()
    };
    for pattern in [
        "<",
        "<think>",
        "</think>",
        "[think]",
        "(plan)x(/plan)",
        "<!--",
        "<|",
        "<|channel|>",
        "<|channel|>final",
        "a<|start_response|>",
        "<|end|>",
        "&lt;",
        "<answer>",
        "```think\n",
        "Thinking:\nFinal answer: x\n",
    ] {
        let linear = (0..3).any(|_| {
            let (one, four) = (took(pattern, 4_000), took(pattern, 16_000));
            four < one * 10 + std::time::Duration::from_millis(20)
        });
        assert!(linear, "{pattern}");
    }
}

/* What is typed in the fields and is not in the address yet. */
"use strict";

(() => {
  const SENTENCES = "#query input[type=text]";
  const FIELDS = `${SENTENCES}, form.number input[type=number]`;

  const typedValues = () => new Map([...document.querySelectorAll(FIELDS)].map(({ id, value }) => [id, value]));

  /* What was typed since the answer was asked for, and what is being typed. */
  function newlyTyped(sent, keepTyped) {
    const typing = keepTyped && document.activeElement.id;
    return new Map([...typedValues()].filter(([id, value]) => id === typing || sent.get(id) !== value));
  }

  /* An address with the sentences of the last answer takes those that are typed now; so does one without any. */
  function withTyped(url) {
    const address = new URL(url, location.href);
    const fields = [...document.querySelectorAll(SENTENCES)];
    const all = !address.searchParams.has("text") && fields.some(({ value, defaultValue }) => value !== defaultValue);
    for (const { name, value, defaultValue } of fields)
      if (all || (value !== defaultValue && address.searchParams.get(name) === defaultValue)) address.searchParams.set(name, value);
    return address.href;
  }

  Satzblick.typed = { SENTENCES, typedValues, newlyTyped, withTyped };
})();

fetch("/version")
  .then(answer => answer.json())
  .then(facts => document.getElementById("version").textContent = facts.mongoose);

// Runs behind the drawing, in the same page: every line of #verdict is a claim.
(function () {
"use strict";
var flame = document.getElementById("flame"), lines = [];
function frame(name) {
	return Array.prototype.find.call(flame.querySelectorAll("g.f"), function (g) {
		return g.querySelector("title").textContent.indexOf(name + " (") === 0;
	});
}
function width(name) { return Math.round(+frame(name).querySelector("rect").getAttribute("width")); }
function shown(name) { return frame(name).style.display !== "none"; }
function text(id) { return document.getElementById(id).textContent; }
function claim(name, is, want) {
	lines.push((is === want ? "ok " : "FAIL ") + name + (is === want ? "" : ": " + is + ", not " + want));
}
function click(g) { g.dispatchEvent(new MouseEvent("click", { bubbles: true })); }

claim("drawn-in-proportion", width("main") + "," + width("idle"), "1062,118");
click(frame("work"));
claim("zoom-fills-the-width", width("work") + "," + width("main"), "1180,1180");
claim("zoom-scales-what-is-inside", width("leaf"), 885);
claim("zoom-hides-what-is-beside", shown("idle") + "," + shown("other"), "false,false");
claim("zoom-dims-what-is-around", frame("main").classList.contains("dim"), true);
click(document.getElementById("reset"));
claim("reset-restores", width("work") + "," + shown("idle") + "," + text("reset"), "944,true,");
flame.scryFlame.search("^leaf$");
claim("search-sums-up", text("matched"), "Matched: 70.00%");
claim("search-marks", flame.querySelectorAll("g.hit").length, 2);
flame.scryFlame.search("main|work|leaf");
claim("search-counts-nothing-twice", text("matched"), "Matched: 100.00%");
flame.scryFlame.search("(");
claim("search-survives-mistakes", text("matched"), "not a regular expression: (");
frame("idle").dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
claim("detail-is-told", text("detail"), "idle (10 ms, 10.00%)");
claim("labels-are-no-markup", width("<b>x</b>") + "," + document.querySelectorAll("b").length, "118,0");
document.getElementById("verdict").textContent = lines.join("\n") + "\n";
}());

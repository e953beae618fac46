import { mount } from "svelte";
import App from "./App.svelte";
import { watchPage } from "./lib/pagelog";
import "./style.css";

watchPage(window);
const target = document.getElementById("app");
if (target) mount(App, { target });

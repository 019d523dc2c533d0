// Where the desk's page begins.
import { render } from "preact";
import "./main.css";

function App() {
        return (
                <main>
                        <h1>Support desk</h1>
                </main>
        );
}

const root = document.getElementById("app");
if (root)
        render(<App />, root);
